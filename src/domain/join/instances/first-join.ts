import { randomUUID } from "node:crypto";
import type { Write } from "#base/storage";
import { botInstanceName, writeOf, type Bot, type BotInstance } from "#domain/resources";
import type { JoinDependencies } from "../dependencies.ts";
import { botJoinedWrite } from "../events.ts";
import { newInstance } from "../issuing.ts";
import { checkLocks } from "../locks.ts";
import { checkOf } from "../made-locks.ts";
import type { Step } from "../protocol.ts";
import { commit } from "../refusal.ts";
import { FIRST_JOIN_MEMORY_MS, recordWrite, type StoredRecord } from "./attempt-record.ts";
import {
  authenticationIn,
  passing,
  recordOf,
  sign,
  targetsOf,
  type Decided,
  type Entitled,
} from "./certified.ts";

/** The attempt was made before, and its reply was lost. */
export interface Repeated {
  readonly record: StoredRecord;
  readonly instance: BotInstance;
}

/** The id that a repeated attempt was given, or a new one. */
export const instanceIdFor = (repeated: Repeated | undefined): string =>
  repeated?.instance.spec.instance_id ?? randomUUID();

/** Checks locks, commits a new instance (or finds the one that this attempt made), and signs. */
export async function joinAsNew(
  entitled: Entitled,
  first: {
    readonly instanceId: string;
    /** Name of the attempt's record. */
    readonly record: string;
    readonly repeated: Repeated | undefined;
    /** The instance that the machine was before: a lock on it counts for the next one too. */
    readonly previous?: string | undefined;
  },
): Promise<Step> {
  const { deps, trace } = entitled;
  const { instanceId, record, repeated, previous = "" } = first;
  const before = previous ? [`bot_instance_id:${previous}`] : [];
  await checkLocks(deps, [...targetsOf(entitled, instanceId), ...before], { leaving: true });
  trace.instanceId = instanceId;
  const decided = { ...entitled, instanceId, generation: 1, record };
  const event = botJoinedWrite(deps.audit, trace, {
    recovery: true,
    repeated: repeated !== undefined,
    generation: 1,
    previous,
  });
  const writes = repeated
    ? [repeated.record.check, checkOf(repeated.instance)]
    : await newWrites(decided, previous);
  await commit(deps.store, [...writes, ...entitled.writes, event]);
  return await sign(decided);
}

/** The instance that a lost reply was about, while nobody has renewed its certificate. */
export async function unrenewed(
  { resources }: Pick<JoinDependencies, "resources">,
  bot: Bot,
  { record }: StoredRecord,
): Promise<BotInstance | undefined> {
  const name = botInstanceName(bot.metadata.name, record.instance_id);
  const instance = await resources.get("bot_instance", name);
  return instance?.status?.generation === 1 ? instance : undefined;
}

async function newWrites(decided: Decided, previous: string): Promise<Write[]> {
  const { deps, bot, instanceId, record } = decided;
  const first = await authenticationIn(decided, true);
  const instance = newInstance({ bot: bot.metadata.name, instanceId, previous, first });
  return [
    writeOf(await passing(decided, instance), "create"),
    recordWrite(record, recordOf(decided), deps.clock.now() + FIRST_JOIN_MEMORY_MS),
  ];
}
