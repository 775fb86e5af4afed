// What bench/web.ts asks of the endpoints, each time something else of the same kind.
import {
  botName,
  BUSY_BOT,
  hostName,
  instanceId,
  OLD_VERSION,
  ownerOf,
  type CrowdSize,
} from "./web-crowd.ts";
import type { WebStage } from "./web-stage.ts";
import { median, percentile, row, type BenchRow } from "./support.ts";

const SITE = "/v1/webapi/sites/-";
const BOTS = `${SITE}/machine-id/bot`;
const INSTANCES = `${SITE}/machine-id/bot-instance`;
const RECENT = "sort=last_active_at&order=desc";

type PathOf = (turn: number, key: string) => string;

/** The first of them is what the key figure is made of. */
const requests: Readonly<Record<string, (size: CrowdSize) => PathOf>> = {
  instances_by_activity: () => () => `${INSTANCES}?${RECENT}&limit=100`,
  instances_by_name: () => () => `${INSTANCES}?limit=100`,
  /** Each goes on where the one before ended. */
  instances_deep: () => (_, key) => `${INSTANCES}?${RECENT}&limit=100&start_key=${key}`,
  instances_search_bot: (size) => (turn) =>
    `${INSTANCES}?${RECENT}&limit=100&search=${botName(some(turn, size.bots))}`,
  instances_search_host: (size) => (turn) =>
    `${INSTANCES}?${RECENT}&limit=100&search=${hostName(some(turn, size.instances)).slice(0, 16)}`,
  instances_search_id: (size) => (turn) =>
    `${INSTANCES}?limit=100&search=${instanceId(some(turn, size.instances)).slice(0, 8)}`,
  instances_search_common: () => () => `${INSTANCES}?${RECENT}&limit=100&search=eu-west`,
  instances_search_nothing: () => (turn) => `${INSTANCES}?${RECENT}&search=nothing-${turn}`,
  instances_of_bot: () => () => `${INSTANCES}?${RECENT}&limit=10&bot_name=${BUSY_BOT}`,
  instances_of_small_bot: (size) => (turn) =>
    `${INSTANCES}?${RECENT}&limit=10&bot_name=${botName(some(turn, size.bots))}`,
  instances_of_version: () => () => `${INSTANCES}?${RECENT}&limit=100&version=${OLD_VERSION}`,
  instances_failed: () => () => `${INSTANCES}?${RECENT}&limit=100&health=failed`,
  instances_failed_of_bot: () => () =>
    `${INSTANCES}?${RECENT}&limit=100&health=failed&bot_name=${BUSY_BOT}&os=linux`,
  instances_summary: () => () => `${INSTANCES}/summary`,
  instance: (size) => (turn) => {
    const i = some(turn, size.instances);
    return `${BOTS}/${ownerOf(i, size)}/bot-instance/${instanceId(i)}`;
  },
  bots: () => () => `${BOTS}?limit=100`,
  bots_search: (size) => (turn) => `${BOTS}?limit=100&search=${botName(some(turn, size.bots))}`,
  bots_by_created: () => () => `${BOTS}?limit=100&sort=created_at&order=desc`,
  bot: (size) => (turn) => `${BOTS}/${botName(some(turn, size.bots))}`,
  tokens_of_bot: (size) => (turn) =>
    `/v1/webapi/tokens?role=Bot&bot=${botName(some(turn, size.bots))}`,
  locks_of_bot: (size) => (turn) => {
    const bot = botName(some(turn, size.bots));
    return `${SITE}/locks?in_force_only=true&target=user:bot-${bot},role:bot-${bot}`;
  },
  events_of_bot: () => () => `${SITE}/events/search?bot=${BUSY_BOT}&limit=100`,
  status: () => () => `${SITE}/status`,
};

const some = (turn: number, count: number): number => (turn * 7_919 + 11) % count;

export interface EndpointOptions {
  readonly stage: WebStage;
  readonly size: CrowdSize;
  readonly rounds: number;
  readonly log: (line: string) => void;
}

export async function endpointRows(options: EndpointOptions): Promise<BenchRow[]> {
  const rows: BenchRow[] = [];
  for (const [name, pathOf] of Object.entries(requests)) {
    const { ours, floor, bytes } = await timesOf(options, pathOf(options.size));
    const peer = { name: "the same bytes from a bare server", value: median(floor) };
    rows.push(
      row(`${name}_p50_ms`, median(ours), "ms", peer, `${Math.round(bytes / 1_024)} KB`),
      row(`${name}_p99_ms`, percentile(ours, 0.99), "ms"),
    );
    if (rows.length === 2) rows.unshift(row("instances_list_p99_ms", percentile(ours, 0.99), "ms"));
    options.log(`${name} ${median(ours).toFixed(1)} ms`);
  }
  return rows;
}

/** Ours and the bare server's in turns; the first of each does not count. */
async function timesOf({ stage, rounds }: EndpointOptions, pathOf: PathOf) {
  const [ours, floor]: [number[], number[]] = [[], []];
  let key = "";
  let bytes = 0;
  for (let turn = 0; turn <= rounds; turn++) {
    const start = performance.now();
    const body = await stage.line.get(pathOf(turn, key));
    const middle = performance.now();
    await stage.floor.get(`/bytes/${body.length}`);
    if (turn > 0) {
      ours.push(middle - start);
      floor.push(performance.now() - middle);
    }
    bytes = body.length;
    key = encodeURIComponent((JSON.parse(body) as { next_key?: string }).next_key ?? "");
  }
  return { ours, floor, bytes };
}
