import { badParameter } from "#base/kernel";
import type { Write } from "#base/storage";
import type { Actor } from "#domain/audit";
import {
  deleteOf,
  fromItem,
  lockTargetKey,
  tokenDisplayName,
  writeOf,
  type Lock,
  type Token,
} from "#domain/resources";
import type { JoinDependencies } from "./dependencies.ts";
import { isSuperseding } from "./made-locks.ts";
import { withStatus } from "./methods/bound-keypair/record.ts";
import { commit, settle } from "./refusal.ts";

type Parts = Pick<JoinDependencies, "store" | "resources" | "audit" | "clock">;

export interface ResetBy {
  readonly actor: Actor;
  readonly remoteAddr: string;
}

export interface Reset {
  /** Names of the locks that were removed. */
  readonly locks: readonly string[];
  /** How long the machine has to come, milliseconds since the epoch; none where nothing is bound. */
  readonly until: number | undefined;
}

/** Longer, and a copy from a drawer might take the place of the machine that was meant. */
const RESET_MS = 7 * 24 * 60 * 60 * 1000;

/** Each goes with its event in one batch; a token has a handful. What is over goes with the next reset. */
const MAX_LOCKS = 400;

/**
 * join.md section 5: "removes the locks that join verification made for this token, accepts the bound
 * key's next attempt whatever its join state, once, and audits it." Locks on instances that a recovery
 * has replaced stay: they keep out only certificates that nobody should use any more.
 *
 * `not_found` for an unknown token, `bad_parameter` for one of another method.
 */
export async function resetToken(parts: Parts, name: string, by: ResetBy): Promise<Reset> {
  return await settle({
    store: parts.store,
    decide: () => reset(parts, name, by),
    failed: () => [],
  });
}

async function reset(parts: Parts, name: string, by: ResetBy): Promise<Reset> {
  const { store, resources, clock } = parts;
  const token = await resources.require("token", name);
  if (token.spec.join_method !== "bound_keypair")
    throw badParameter(
      `token "${tokenDisplayName(token)}" is for join method "${token.spec.join_method}", which has no join state to reset`,
    );
  const locks = await locksOf(parts, name);
  const now = clock.now();
  const bound = token.status?.bound_keypair?.bound_bot_instance_id ? now + RESET_MS : undefined;
  await commit(store, [
    ...(bound === undefined ? [] : [writeOf(accepting(token, now, bound), "update")]),
    ...locks.flatMap((lock) => [deleteOf(lock), deletedEvent(parts, lock, by)]),
    resetEvent(parts, token, { locks, by }),
  ]);
  return { locks: locks.map(({ metadata }) => metadata.name), until: bound };
}

async function locksOf({ store }: Parts, token: string): Promise<readonly Lock[]> {
  const found: Lock[] = [];
  const range = { kind: "lock", index: "join_token", from: token, to: `${token}\0` };
  for (let after: string | undefined; ;) {
    const page = await store.list({ ...range, ...(after === undefined ? {} : { after }) });
    const locks = page.items.map((item) => fromItem(item)).filter((lock) => lock.kind === "lock");
    found.push(...locks.filter((lock) => !isSuperseding(lock)));
    after = page.next;
    if (after === undefined || found.length >= MAX_LOCKS) return found.slice(0, MAX_LOCKS);
  }
}

function accepting(token: Token, now: number, until: number): Token {
  const status = token.status!.bound_keypair!;
  const time = (ms: number): string => new Date(ms).toISOString();
  return withStatus(token, { ...status, reset: { at: time(now), until: time(until) } });
}

const deletedEvent = ({ audit }: Parts, lock: Lock, by: ResetBy): Write =>
  audit.write({
    type: "lock.delete",
    ...by,
    fields: { name: lock.metadata.name, target: lockTargetKey(lock) },
  });

const resetEvent = (
  { audit }: Parts,
  { metadata, spec }: Token,
  { locks, by }: { readonly locks: readonly Lock[]; readonly by: ResetBy },
): Write =>
  audit.write({
    type: "token.reset",
    ...by,
    fields: {
      name: metadata.name,
      ...(spec.bot_name ? { bot: spec.bot_name } : {}),
      locks: locks.map((lock) => lock.metadata.name),
    },
  });
