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

exec node_modules/.bin/node "$@"
