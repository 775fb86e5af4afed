import { runRepeatedly, type Clock, type Logger } from "#base/kernel";
import type { Metrics } from "#base/observe";
import { bindService, type BoundService } from "#base/rpc";
import type { BackedUpStore, Store } from "#base/storage";
import { followLocks, LockSet } from "#domain/access";
import type { AuditLog } from "#domain/audit";
import type { Authorities } from "#domain/authority";
import { JoinServer } from "#domain/join";
import type { Resources } from "#domain/resources";
import { SignIn } from "#domain/sign-in";
import { AuthService } from "@tenon/api/tenon/auth/v1/auth";
import { JoinService } from "@tenon/api/tenon/join/v1/join";
import { ResourceService } from "@tenon/api/tenon/resource/v1/resource";
import type { AddressLimits } from "./address-limit.ts";
import { createAuthService } from "./auth-service.ts";
import { Gate } from "./gate.ts";
import { createJoinService } from "./join-service.ts";
import { Issuers, type FetchKeys } from "./issuers/issuers.ts";
import { publishedKeys } from "./issuers/published-keys.ts";
import type { AuthConfig, AuthParts } from "./parts.ts";
import { createResourceService } from "./resources/service.ts";
import { followAuthorities } from "./rotation-schedule.ts";
import { readSettings } from "./settings.ts";

export interface AuthServerOptions {
  readonly store: Store;
  readonly resources: Resources;
  readonly authorities: Authorities;
  readonly audit: AuditLog;
  readonly clock: Clock;
  readonly random: () => number;
  readonly logger: Logger;
  readonly metrics: Metrics;
  readonly config: AuthConfig;
  /** Of a store that is embedded in this process. */
  readonly backup?: BackedUpStore["backup"] | undefined;
  /** What the proxy carries now; nothing, where there is none. */
  readonly openSessions?: AuthParts["openSessions"];
  /** Authorities in PEM, beside the system's, for the addresses of OIDC issuers. */
  readonly issuerCa?: readonly string[];
  /** Of calls without a certificate; `STRANGER_LIMITS` unless given. */
  readonly strangerLimits?: AddressLimits;
}

/** The authority's services, ready to be served; dispose it to stop following the store. */
export interface AuthServer extends AsyncDisposable {
  readonly services: readonly BoundService[];
  /** The locks in force, for others in this process. */
  readonly locks: LockSet;
  /** How people sign in, for the page. */
  readonly signIn: SignIn;
}

/** Resolves once the locks in force are known: before that nothing can be decided. */
export async function createAuthServer(options: AuthServerOptions): Promise<AuthServer> {
  const { resources, authorities } = options;
  const locks = new LockSet();
  const settings = () => readSettings(resources, authorities.clusterName);
  const signIn = openSignIn(options, locks);
  const { openSessions = () => [] } = options;
  const parts: AuthParts = { ...options, openSessions, locks, signIn, settings };
  const issuers = createIssuers(options);
  const joins = new JoinServer({ ...options, locks, issuers, config: settings });
  const gate = new Gate(parts, joins, options.strangerLimits);
  const following = await follow(locks, options);
  const rotating = await followAuthorities(options);
  const locking = endWithLocks(signIn, locks, options);
  return {
    locks,
    signIn,
    services: [
      bindService(JoinService, createJoinService(parts, joins), gate.around(JoinService)),
      bindService(AuthService, createAuthService(parts), gate.around(AuthService)),
      bindService(ResourceService, createResourceService(parts), gate.around(ResourceService)),
    ],
    [Symbol.asyncDispose]: async () => {
      issuers[Symbol.dispose]();
      locking[Symbol.dispose]();
      await Promise.all([following[Symbol.asyncDispose](), rotating[Symbol.asyncDispose]()]);
    },
  };
}

function openSignIn(
  { authorities, config, ...options }: AuthServerOptions,
  locks: LockSet,
): SignIn {
  const { clusterName } = authorities;
  // The address is known once the proxy listens; nobody signs in before.
  const origin = () => new URL(`https://${config.proxyPublicAddr}`).origin;
  return new SignIn({ ...options, locks, clusterName, origin });
}

/** A lock ends what its person has open, also where nobody looks at the page. */
function endWithLocks(
  signIn: SignIn,
  locks: LockSet,
  { logger }: Pick<AuthServerOptions, "logger">,
): Disposable {
  const failed = (error: unknown): void =>
    logger.warn("sessions of locked people may be open until they are used", { error });
  return locks.onChange(() => void signIn.endLocked().catch(failed));
}

function createIssuers({ clock, logger, issuerCa: ca = [] }: AuthServerOptions): Issuers {
  const fetchKeys: FetchKeys = (issuer, signal) => publishedKeys(issuer, { clock, ca, signal });
  return new Issuers({ fetchKeys, clock, logger });
}

/** Follows the store until disposed, taking up the thread whenever it breaks. */
async function follow(
  locks: LockSet,
  { store, clock, random, logger }: AuthServerOptions,
): Promise<AsyncDisposable> {
  const stop = new AbortController();
  const ready = Promise.withResolvers<void>();
  const { signal } = stop;
  const running = runRepeatedly({
    clock,
    random,
    signal,
    intervalMs: FOLLOW_RETRY.maxMs,
    retry: FOLLOW_RETRY,
    run: async (signal) => await followLocks(locks, { store, signal, onReady: ready.resolve }),
    onFailure: (error) => logger.warn("the locks cannot be followed", { error }),
  });
  await ready.promise;
  return {
    [Symbol.asyncDispose]: async () => {
      stop.abort();
      await running;
    },
  };
}

const FOLLOW_RETRY = { firstMs: 50, maxMs: 1_000 };
