// What must be true of a cluster and its machines, however often either was killed.
import assert from "node:assert/strict";
import { join } from "node:path";
import { silentLogger, systemClock } from "#base/kernel";
import { openSqliteStore, type Store } from "#base/storage";
import { AuditLog, eventIndexes, type AuditEvent, type EventType } from "#domain/audit";
import { Resources, storeIndexes } from "#domain/resources";
import { signInIndexes } from "#domain/sign-in";
import { textOf } from "#testing/join";
import { tokenOf, type Acknowledged } from "./load.ts";

export interface Proof {
  readonly joins: number;
  readonly recoveries: number;
  readonly repeated: number;
  readonly rotations: number;
}

/** Reads the store of a cluster that has stopped. */
export async function prove(
  dataDir: string,
  acknowledged: readonly Acknowledged[],
): Promise<Proof> {
  await using store = await openSqliteStore({
    directory: join(dataDir, "store"),
    clock: systemClock,
    logger: silentLogger,
    indexes: [...storeIndexes, ...eventIndexes, ...signInIndexes],
  });
  assert.deepEqual(await eventsOf(store, "bot.join.failed"), [], "an honest machine was refused");
  const events = (await eventsOf(store, "bot.join")).map(joinOf);
  checkCounters(events);
  checkAcknowledged(events, acknowledged);
  await checkStatus(store, events, acknowledged);
  await checkLocks(store);
  return {
    joins: events.filter((event) => !event.repeated).length,
    recoveries: events.filter((event) => !event.repeated && event.recovery).length,
    repeated: events.filter((event) => event.repeated).length,
    rotations: new Set(events.map((event) => `${event.token} ${event.key}`)).size - tokens(events),
  };
}

interface Join {
  readonly token: string;
  readonly attempt: string;
  readonly instance: string;
  readonly previous: string;
  readonly generation: number;
  readonly recovery: boolean;
  readonly repeated: boolean;
  readonly key: string;
}

const joinOf = (event: AuditEvent): Join => ({
  token: textOf(event, "token"),
  attempt: textOf(event, "attempt_id"),
  instance: textOf(event, "instance_id"),
  previous: "previous_instance_id" in event.fields ? textOf(event, "previous_instance_id") : "",
  generation: Number(event.fields["generation"]),
  recovery: event.fields["recovery"] === true,
  repeated: event.fields["repeated"] === true,
  key: textOf(event, "key_fingerprint"),
});

const tokens = (events: readonly Join[]): number => new Set(events.map(({ token }) => token)).size;
const place = ({ instance, generation }: Pick<Join, "instance" | "generation">): string =>
  `${instance}/${generation}`;

/** No generation and no place in the line of instances is taken twice, and none is left out. */
function checkCounters(events: readonly Join[]): void {
  const counted = events.filter((event) => !event.repeated);
  unique(counted.map(place), "a generation was used twice");
  unique(
    counted.filter(({ recovery }) => recovery).map(({ token, previous }) => `${token} ${previous}`),
    "two recoveries took the place of one instance",
  );
  for (const [instance, its] of Map.groupBy(counted, (event) => event.instance)) {
    const generations = its.map(({ generation }) => generation);
    assert.deepEqual(
      generations,
      generations.map((_, i) => i + 1),
      `generations of ${instance}`,
    );
  }
  const all = new Set(counted.map((event) => `${event.attempt} ${place(event)}`));
  for (const event of events.filter(({ repeated }) => repeated))
    assert.ok(all.has(`${event.attempt} ${place(event)}`), "what was repeated had not been so");
}

/** What a machine was given is in the audit log as it was given, and given to no other attempt. */
function checkAcknowledged(events: readonly Join[], acknowledged: readonly Acknowledged[]): void {
  const audited = new Set(events.map((event) => `${event.attempt} ${place(event)}`));
  for (const told of acknowledged)
    assert.ok(audited.has(`${told.attempt} ${place(told)}`), `lost: ${JSON.stringify(told)}`);
  unique(acknowledged.map(place), "two joins were acknowledged with one generation");
  for (const [, its] of Map.groupBy(acknowledged, ({ machine }) => machine))
    for (const [i, told] of its.entries()) checkAfter(its[i - 1], told);
}

/** A sequence or a count stays with its instance, and grows with each that comes after it. */
function checkAfter(before: Acknowledged | undefined, told: Acknowledged): void {
  assert.equal(told.sequence, told.recoveries);
  if (!before) return;
  if (told.instance === before.instance) {
    assert.equal(told.sequence, before.sequence);
    assert.ok(told.generation > before.generation);
  } else assert.ok(told.sequence > before.sequence, "a sequence was used twice");
}

/** The tokens stand where the log says, and not before the last join that was acknowledged. */
async function checkStatus(
  store: Store,
  events: readonly Join[],
  acknowledged: readonly Acknowledged[],
): Promise<void> {
  const resources = new Resources(store);
  for (const [machine, its] of Map.groupBy(acknowledged, (told) => told.machine)) {
    const token = await resources.require("token", tokenOf(machine));
    const status = token.status!.bound_keypair!;
    const counted = events.filter(({ token, repeated }) => token === tokenOf(machine) && !repeated);
    const recoveries = counted.filter(({ recovery }) => recovery).length;
    const replaced = new Set(counted.map(({ previous }) => previous));
    const standing = counted.find(({ instance }) => !replaced.has(instance));
    const { recovery_count, recovery_sequence, bound_bot_instance_id } = status;
    assert.deepEqual(
      [recovery_count, recovery_sequence, bound_bot_instance_id],
      [recoveries, recoveries, standing?.instance],
    );
    // The last kill may have come between a commit and its answer.
    assert.ok(recovery_sequence >= its.at(-1)!.sequence, "an acknowledged recovery was lost");
  }
}

/** Only what a recovery has replaced is locked. */
async function checkLocks(store: Store): Promise<void> {
  for await (const { metadata, spec } of new Resources(store).all("lock"))
    assert.match(metadata.name, /^superseded-/, `an honest machine is locked: ${spec.message}`);
}

async function eventsOf(store: Store, type: EventType): Promise<readonly AuditEvent[]> {
  await using log = new AuditLog({
    store,
    clock: systemClock,
    logger: silentLogger,
    random: Math.random,
  });
  const events: AuditEvent[] = [];
  for (let pageToken = ""; ;) {
    const page = await log.search({ type, ascending: true, pageSize: 1_000, pageToken });
    events.push(...page.events);
    if (!page.nextPageToken) return events;
    pageToken = page.nextPageToken;
  }
}

function unique(values: readonly string[], message: string): void {
  const seen = new Set<string>();
  for (const value of values) {
    assert.ok(!seen.has(value), `${message}: ${value}`);
    seen.add(value);
  }
}
