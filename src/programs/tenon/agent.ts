import { DirectoryKeyStore, MemoryKeyStore } from "#base/crypto";
import {
  badParameter,
  ensurePrivateDirectory,
  VERSION,
  type Clock,
  type Logger,
} from "#base/kernel";
import { identityOf, JoinClient, type JoinSettings } from "#domain/join";
import { AppAgent, type AgentApp } from "#services/agent";
import {
  DirectoryJoinStorage,
  Enrolment,
  idTokenSource,
  type Address,
  type IdTokenPlace,
} from "#services/enrolment";
import { arch, hostname, platform } from "node:os";
import { join } from "node:path";
import { hostIdOf } from "./host-id.ts";

export interface AgentOptions {
  readonly dataDir: string;
  readonly address: Address;
  readonly caPins: readonly string[];
  /** A join token; asked when there is no identity that is still good. */
  readonly token: () => Promise<string | undefined>;
  /** For the first join by `bound_keypair`. */
  readonly registrationSecret?: string | undefined;
  /** Default `token`. */
  readonly method?: JoinSettings["method"];
  /** For methods whose proof is an ID token: where it is, if not in its usual place. */
  readonly idTokenPlace?: IdTokenPlace | undefined;
  readonly env?: Readonly<Record<string, string | undefined>>;
  readonly apps: readonly AgentApp[];
  readonly clock: Clock;
  readonly random: () => number;
  readonly logger: Logger;
  readonly drainMs: number;
}

/** An application agent with its identity in the data directory; it joins when it runs. */
export async function openAgent(options: AgentOptions): Promise<AppAgent> {
  const { dataDir, address, caPins, method = "token", clock, logger } = options;
  const { idTokenPlace: place, registrationSecret, env = {} } = options;
  const idToken = idTokenSource({ method, place, env, clock });
  await ensurePrivateDirectory(dataDir);
  const storage = new DirectoryJoinStorage(dataDir);
  const client = new JoinClient({
    settings: {
      method,
      token: await tokenFor(storage, options),
      ...(idToken ? { idToken } : {}),
      ...(registrationSecret ? { registrationSecret } : {}),
      role: "App",
      host: {
        hostname: hostname(),
        os: platform(),
        architecture: arch(),
        version: VERSION,
        hostId: await hostIdOf(dataDir),
      },
    },
    storage,
    keys:
      method === "bound_keypair"
        ? await DirectoryKeyStore.open(join(dataDir, "keys"))
        : new MemoryKeyStore(),
    clock,
    logger,
  });
  const enrolment = await Enrolment.open({ address, caPins, join: client, storage, clock });
  return new AppAgent({ ...options, enrolment });
}

/**
 * The token of the stored identity while that is good: it is refreshed, and the token is spent. One of
 * `bound_keypair` stays good after that.
 */
async function tokenFor(
  storage: DirectoryJoinStorage,
  { clock, token, method }: AgentOptions,
): Promise<string> {
  const { joined, pending } = (await storage.load()) ?? {};
  if (joined && identityOf(joined).expires > clock.now()) return joined.token;
  const known = method === "bound_keypair" ? (joined ?? pending) : pending;
  const found = (await token()) ?? known?.token;
  if (found !== undefined) return found;
  throw badParameter(
    "this agent has no identity of the cluster yet: give it a join token (--token, or join_params.token); `tctl tokens add --type=app` makes one",
  );
}
