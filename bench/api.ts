// What it takes to give a running bot an order, beside what users do today: start a second bot.
import { spawnSync } from "node:child_process";
import { createClient } from "@connectrpc/connect";
import { durationFromMs } from "@bufbuild/protobuf/wkt";
import { CredentialService } from "@tenon/api/tenon/tbot/v1/credential";
import { generateKeyPair, spkiDer } from "#base/crypto";
import { connectLocal } from "#base/local";
import { BotApiClient } from "#services/bot-client";
import { bundle, node, Stage, TUNNEL } from "./stage.ts";
import {
  machine,
  median,
  row,
  type BenchOptions,
  type BenchResult,
  type BenchRow,
} from "./support.ts";

export const name = "api";

const MANY = 100;
const IN_FLIGHT = 16;

export async function run({ quick, log }: BenchOptions): Promise<BenchResult> {
  log("building the bundles");
  spawnSync(node, ["scripts/build.ts"]);
  const rounds = quick ? 5 : 25;
  await using stage = await Stage.open(bundle);
  const [orders, credentials] = [stage.path("api/bot.sock"), stage.path("cred/bot.sock")];
  await stage.addBot("robot", [
    `{ type: bot-api, listen: "unix://${orders}" }`,
    `{ type: credential-api, path: ${credentials} }`,
    TUNNEL,
  ]);
  await stage.addBot("second", [TUNNEL]);
  await stage.startBot("robot");
  using client = await BotApiClient.open(orders);
  log("one service, from the command line and by a call");
  const spawned = await spawnRows({ stage, client, orders, rounds });
  log(`${MANY} services in one call`);
  const many = await manyRows(stage, client);
  log("credentials");
  const issued = await issueRows(credentials, quick ? 200 : 2_000);
  return { bench: name, machine: machine(), rows: [...spawned, ...many, ...issued] };
}

async function spawnRows(about: {
  stage: Stage;
  client: BotApiClient;
  orders: string;
  rounds: number;
}): Promise<BenchRow[]> {
  const { stage, client, orders, rounds } = about;
  const [command, call, second]: number[][] = [[], [], []];
  for (let i = 0; i <= rounds; i++) {
    command!.push(await timed(() => spawnByCommand(orders)));
    await client.stop("app-tunnel-2");
    call!.push(await timed(() => spawnByCall(client, 1)));
    await client.stop("app-tunnel-2");
    second!.push(await stage.startBot("second"));
  }
  const [byCommand, byCall, bySecond] = [command!, call!, second!].map((times) =>
    median(times.slice(1)),
  );
  return [
    row("spawn_ready_p50_ms", byCommand!, "ms"),
    row("spawn_server_p50_ms", byCall!, "ms"),
    row("second_bot", bySecond!, "ms", { name: "the call that spawns the same", value: byCall! }),
  ];
}

function spawnByCommand(socket: string): void {
  const words = ["api", "spawn", "app-tunnel", `--socket=${socket}`, "--app-name=hello"];
  const ran = spawnSync(node, [bundle.script("tbot"), ...words, "--listen=tcp://127.0.0.1:0"]);
  if (ran.status !== 0) throw new Error(`tbot api spawn failed: ${String(ran.stderr)}`);
}

async function spawnByCall(client: BotApiClient, count: number): Promise<void> {
  const configuration = `- ${TUNNEL}\n`.repeat(count);
  const { outcome, services } = await client.spawn({ configuration });
  if (outcome !== "started") throw new Error(`a service did not start: ${services[0]?.reason}`);
}

async function manyRows(stage: Stage, client: BotApiClient): Promise<BenchRow[]> {
  const before = await stage.residentMib("robot");
  const ms = await timed(() => spawnByCall(client, MANY));
  const each = ((await stage.residentMib("robot")) - before) / MANY;
  const names = (await client.statuses()).map(({ name: each }) => each);
  const spawned = names.filter((each) => each.startsWith("app-tunnel-") && each !== "app-tunnel-1");
  await Promise.all(spawned.map((each) => client.stop(each)));
  return [row(`spawn_${MANY}_ms`, ms, "ms"), row("service_kb", each * 1024, "KB")];
}

/** Certificates for one key, through the socket; the cluster records and signs each. */
async function issueRows(socket: string, count: number): Promise<BenchRow[]> {
  using transport = await connectLocal(socket);
  const client = createClient(CredentialService, transport);
  const tlsPublicKey = spkiDer(generateKeyPair("ecdsa-p256").publicKey);
  const issue = () => client.generateIdentity({ tlsPublicKey, ttl: durationFromMs(60_000) });
  const rows: BenchRow[] = [];
  for (const inFlight of [1, IN_FLIGHT]) {
    await issue();
    let left = count;
    const worker = async (): Promise<void> => {
      while (left-- > 0) await issue();
    };
    const ms = await timed(() => Promise.all(Array.from({ length: inFlight }, worker)));
    rows.push(row(`generate_identity_${inFlight}`, (count / ms) * 1_000, "/s"));
  }
  return rows;
}

async function timed(work: () => unknown): Promise<number> {
  const started = performance.now();
  await work();
  return performance.now() - started;
}
