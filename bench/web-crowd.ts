// The store of bench/web.ts: bots with their users, roles and tokens, and instances as time leaves them.
import { createHash } from "node:crypto";
import { systemClock } from "#base/kernel";
import { MAX_WRITES, type Store, type Write } from "#base/storage";
import { auditWrite } from "#domain/audit";
import {
  BOT_LABEL,
  botInstanceName,
  botUserName,
  parseDocument,
  writeOf,
  type AnyResource,
  type Authentication,
  type BotInstance,
  type Heartbeat,
} from "#domain/resources";

export interface CrowdSize {
  readonly bots: number;
  readonly instances: number;
  /** Of the busy bot. */
  readonly events: number;
}

const HOUR_MS = 3_600_000;
const DAY_MS = 24 * HOUR_MS;
/** One bot has a tenth of all instances; the others share the rest. */
const BUSY_SHARE = 10;

export const botName = (i: number): string => `robot-${String(i).padStart(6, "0")}`;
export const BUSY_BOT = "fleet";
/** A hundred instances in all are of this version, and none was heard of lately. */
export const OLD_VERSION = "0.9.7";

export const instanceId = (i: number): string => {
  const hex = createHash("sha256").update(`instance ${i}`).digest("hex");
  return [8, 4, 4, 4, 12].map((size, part) => hex.slice(part * 12, part * 12 + size)).join("-");
};
export const hostName = (i: number): string =>
  `ip-10-${i >> 16}-${(i >> 8) & 255}-${i & 255}.eu-west-1.compute.internal`;
export const ownerOf = (i: number, { bots }: CrowdSize): string =>
  i % BUSY_SHARE === 0 ? BUSY_BOT : botName(i % bots);

export async function fillCrowd(
  store: Store,
  size: CrowdSize,
  log: (line: string) => void,
): Promise<void> {
  await commitAll(store, botWrites(size));
  log(`${size.bots} bots`);
  await commitAll(store, instanceWrites(size, log));
  await commitAll(store, eventWrites(size));
}

async function commitAll(store: Store, writes: Iterable<Write>): Promise<void> {
  let batch: Write[] = [];
  for (const write of writes) {
    if (batch.push(write) < MAX_WRITES) continue;
    await store.commit(batch);
    batch = [];
  }
  if (batch.length > 0) await store.commit(batch);
}

function* botWrites({ bots }: CrowdSize): Generator<Write> {
  for (const write of writesOfBot(BUSY_BOT, 0)) yield write;
  for (let i = 0; i < bots; i++) yield* writesOfBot(botName(i), i);
}

/** What `tctl bots add` writes. Each document is a copy of one that was parsed: parsing takes longer. */
function writesOfBot(name: string, i: number): readonly Write[] {
  const user = botUserName(name);
  const labels = { [BOT_LABEL]: name };
  const created_at = new Date(Date.now() - (i % 1_000) * HOUR_MS).toISOString();
  const { bot, role, person, token } = templates;
  return [
    { ...bot, metadata: { ...bot.metadata, name }, status: { ...bot.status, created_at } },
    { ...person, metadata: { name: user, labels } },
    { ...role, metadata: { name: user, labels } },
    { ...token, metadata: { name, labels: {} }, spec: { ...token.spec, bot_name: name } },
  ].map((each) => writeOf(each as AnyResource, "put"));
}

const parsed = (kind: string, spec: object, version = "v1"): AnyResource =>
  parseDocument({ kind, version, metadata: { name: "template" }, spec });
const templates = {
  bot: {
    ...parsed("bot", { roles: ["access"], traits: [{ name: "logins", values: ["root"] }] }),
    status: { user_name: "bot", role_name: "bot", created_by: "admin" },
  },
  role: parsed("role", { allow: { impersonate: { roles: ["access"] } } }),
  person: parsed("user", { roles: ["access"], created_by: "bot" }),
  token: parsed("token", { roles: ["Bot"], bot_name: "x", join_method: "bound_keypair" }, "v2"),
};

function* instanceWrites(size: CrowdSize, log: (line: string) => void): Generator<Write> {
  for (let i = 0; i < size.instances; i++) {
    if (i > 0 && i % 100_000 === 0) log(`${i} instances`);
    yield writeOf(instanceOf(i, size), "put");
  }
}

const versions = ["1.4.2", "1.4.2", "1.4.2", "1.4.2", "1.4.1", "1.4.1", "1.3.8", "1.4.0-rc.1"];

function instanceOf(i: number, size: CrowdSize): BotInstance {
  const bot = ownerOf(i, size);
  const instance_id = instanceId(i);
  const isOld = i % Math.ceil(size.instances / 100) === 7;
  // Most were heard of within half an hour; every fourth is gone, some for long.
  const age = isOld
    ? 90 * DAY_MS + i
    : i % 4 === 3
      ? ((i * 7_919) % 2_592_000) * 1_000
      : (i * 613) % 1_800_000;
  const at = (before: number): string => new Date(now - age - before).toISOString();
  const first = authentication(at(10 * DAY_MS), 1, i, bot);
  const beat = heartbeat(at(0), i, isOld ? OLD_VERSION : versions[(i * 31) % versions.length]!);
  const status = i % 1_000 === 13 ? "failed" : i % 100 === 14 ? "unhealthy" : "healthy";
  const service = (name: string, type: string) => ({ name, type, status, updated_at: beat.time });
  return {
    kind: "bot_instance",
    version: "v1",
    metadata: { name: botInstanceName(bot, instance_id), labels: {} },
    spec: { bot_name: bot, instance_id },
    status: {
      generation: 2,
      initial_authentication: first,
      latest_authentications: [first, authentication(at(60_000), 2, i, bot)],
      initial_heartbeat: { ...beat, time: first.time },
      latest_heartbeats: [{ ...beat, time: at(1_200_000) }, beat],
      service_health: [service("identity", "identity"), service("hello", "application-tunnel")],
      notices: [],
    },
  };
}

const now = Date.now();

const authentication = (
  time: string,
  generation: number,
  i: number,
  token: string,
): Authentication => ({
  time,
  join_method: i % 50 === 0 ? "github" : "bound_keypair",
  token,
  generation,
  key_fingerprint: createHash("sha256").update(String(i)).digest("hex"),
  remote_addr: `10.${i >> 16}.${(i >> 8) & 255}.${i & 255}`,
  recovery: false,
  attributes: { hostname: hostName(i), os: "linux", architecture: "amd64", version: "1.4.2" },
});

const heartbeat = (time: string, i: number, version: string): Heartbeat => ({
  time,
  version,
  hostname: hostName(i),
  os: i % 200 === 0 ? "darwin" : "linux",
  architecture: "amd64",
  uptime_seconds: 86_400,
  one_shot: false,
  kind: "tbot",
  configuration:
    "storage: /var/lib/tbot\nservices:\n  - { type: identity, path: /run/tbot/identity }\n  - { type: application-tunnel, app_name: hello }\n",
});

function* eventWrites({ events }: CrowdSize): Generator<Write> {
  const actor = { kind: "bot", name: BUSY_BOT, instance_id: instanceId(0) } as const;
  for (let i = 0; i < events; i++) {
    const fields = {
      bot: BUSY_BOT,
      token: BUSY_BOT,
      join_method: "bound_keypair",
      instance_id: instanceId(i * BUSY_SHARE),
      recovery: false,
      repeated: false,
      generation: 1 + i,
    };
    const clock = { ...systemClock, now: () => now - i * 1_000 };
    yield auditWrite({ type: "bot.join", actor, remoteAddr: "10.0.0.1:4", fields }, { clock });
  }
}
