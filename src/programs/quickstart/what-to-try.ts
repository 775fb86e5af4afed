import { join } from "node:path";
import type { Scene } from "./quickstart.ts";

/** What a newcomer pastes next, from the project's folder. */
export function whatToTry(
  { dataDir, outDir, directory, proxyPort, tunnelPort, diagPort }: Scene,
  signIn: string,
): string {
  const hello = join(outDir, "hello");
  return `
It stays up until Ctrl-C. See the bot on the web page (its certificate is self-signed). This link signs you in, once:

  ${signIn}

In another terminal, from this folder:

  export TENON_DATA_DIR=${dataDir}
  npx tctl status                                     the cluster, its authorities and its CA pin
  npx tctl bots instances ls                          who has joined
  npx tctl audit ls                                   what has happened
  npx tctl lock --user bot-robot --message "testing"  cuts the bot off within a second

  curl http://127.0.0.1:${tunnelPort}/                       the application, through the bot's tunnel
  curl --cert ${hello}/tlscert --key ${hello}/key \\
    --cacert ${join(dataDir, "web.crt")} https://hello.tenon.localhost:${proxyPort}/
  curl http://127.0.0.1:${diagPort}/readyz                   how the bot's services are
  ssh-keygen -L -f ${outDir}/identity/key-cert.pub

  npx tctl bots add another --roles access            prints a join URI; then
  npx tbot start identity --oneshot --storage ${directory}/another --destination ./another 'tbot+proxy+…'

Logs: ${directory}/*.log
`;
}
