import type { Write } from "#base/storage";
import type { BotInstance } from "#domain/resources";
import type { ResultContent } from "../../protocol.ts";
import type { Decision } from "./record.ts";
import type { BoundStatus } from "./request.ts";

/** What a certificate of this token says of its holder. */
export interface OwnCertificate {
  readonly instanceId: string;
  readonly generation: number;
}

/** How far the bound instance has come, as it is stored. */
export interface Standing {
  readonly generation: number;
  /** For the reason of a lock: ` since TIME from ADDRESS`. */
  readonly since: string;
  /** Of a bot; the store may have lost it in a restore. */
  readonly instance?: BotInstance;
}

/**
 * What joins by the token: a bot, whose instances are documents of their own, or an agent, whose
 * instance lives in the token's status. Everything else of the method is the same for both.
 */
export interface Holder {
  /** `aud` of the join state. */
  readonly audience: string;
  /** Of a bot. */
  readonly bot: string | undefined;
  /** What the client showed in its handshake, if this token gave it. */
  readonly certificate: OwnCertificate | undefined;
  /** Every lock that would stop this instance with this key. */
  targets(instanceId: string, fingerprint: string): readonly string[];
  /** `undefined` when an administrator has removed the instance. */
  standing(instanceId: string): Promise<Standing | undefined>;
  /** Whether this was ever an instance of it, as far as the store can tell. */
  knows(instanceId: string): Promise<boolean>;
  /** What the status says beside what it says of every token. */
  marks(generation: number): Partial<BoundStatus>;
  /** The instance, or the host, as step 8 records it, and the event of the join. */
  writes(decision: Decision): Promise<readonly Write[]>;
  credentials(decision: Decision, fingerprint: string): ResultContent["credentials"];
}
