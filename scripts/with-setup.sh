#!/bin/sh
# Installs what package-lock.json says when it is not there yet, then runs one program on the
# project's own Node: sh scripts/with-setup.sh PROGRAM [ARGUMENT …]
set -eu
cd "$(dirname "$0")/.."

stamp=node_modules/.installed-lock
if ! cmp -s package-lock.json "$stamp"; then
  echo "Installing dependencies (npm ci) …" >&2
  if ! npm ci --no-audit --no-fund --loglevel=error >&2; then
    echo "npm ci failed: see above; is the npm registry reachable from here?" >&2
    exit 1
  fi
  cp package-lock.json "$stamp"
fi

# The web page is built once, and again when its sources are newer.
page=web/dist/index.html
if [ ! -e "$page" ] || [ -n "$(find web/src web/index.html web/vite.config.ts ui/src -newer "$page" | head -n 1)" ]; then
  echo "Building the web page …" >&2
  PATH="$PWD/node_modules/.bin:$PATH" npm run --silent build:web >&2
fi

exec node_modules/.bin/node "$@"
