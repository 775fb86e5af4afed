import { generateKeyPair, spkiDer, sshPublicKeyLine } from "#base/crypto";
import { silentLogger, systemClock, type Clock } from "#base/kernel";
import { openMemoryStore, type Store } from "#base/storage";
import { auditWrite, systemActor } from "#domain/audit";
import { Authorities, type UserClaims } from "#domain/authority";
import { ManualClock } from "./clock.ts";

export const CLUSTER = "example.test";
export const HOUR_MS = 3_600_000;

const keys = generateKeyPair("ecdsa-p256");
/** One key in both spellings, certified for an hour. */
export const bothKeys = {
  tlsPublicKey: spkiDer(keys.publicKey),
  sshPublicKey: sshPublicKeyLine(keys.publicKey),
  ttlMs: HOUR_MS,
};

/** The least that a user certificate says. */
export const alice: UserClaims = {
  user: "alice",
  roles: [],
  traits: {},
  logins: [],
  allowReissue: false,
};

export interface TestAuthorities {
  readonly clock: ManualClock;
  readonly store: Store;
  readonly authorities: Authorities;
}

/** Opens the authorities of a store, as another start of the cluster would. */
export function openAuthorities(
  store: Store,
  clock: ManualClock,
  clusterName?: string,
): Promise<Authorities> {
  const options = { store, clock, logger: silentLogger };
  return Authorities.open(clusterName === undefined ? options : { ...options, clusterName });
}

/** New authorities in a new store. */
export async function newAuthorities(clusterName = CLUSTER): Promise<TestAuthorities> {
  const clock = new ManualClock();
  const store = openMemoryStore({ clock, indexes: [] });
  return { clock, store, authorities: await openAuthorities(store, clock, clusterName) };
}

/** Takes authorities to a phase of a rotation, without a server around them. */
export const rotate = (
  authorities: Authorities,
  request: Parameters<Authorities["rotate"]>[0],
  clock: Clock = systemClock,
): Promise<boolean> =>
  authorities.rotate(request, {
    actor: systemActor,
    audit: (event) => auditWrite(event, { clock }),
  });
