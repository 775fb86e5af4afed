import { KnownDocuments, type SshSigner } from "#base/crypto";
import type { Store } from "#base/storage";
import type { AuthorityType } from "#domain/resources";
import { readPrivateKeys, type AuthoritySet } from "./bootstrap.ts";
import { trustedKeys } from "./export.ts";
import type { JoinKeys } from "./join-keys.ts";
import { retiredKeys } from "./rotation.ts";
import {
  jwtPublicKey,
  jwtSigner,
  sshSignerOf,
  x509Signer,
  type JwtSigner,
  type StoredKeys,
  type X509Signer,
} from "./signers.ts";
import { sameTrust, trustOf, type Trust } from "./trust.ts";

/** Everything that one state of the authorities gives, ready for use; it is exchanged whole. */
export interface Held {
  readonly authorities: AuthoritySet;
  readonly signers: Signers;
  /** The same object as long as it says the same: others remember what they verified against it. */
  readonly trust: Trust;
  readonly joinKeys: JoinKeys;
  /** Join states that were signed in this state of their authority. */
  readonly joinStates: KnownDocuments;
}

interface Signers {
  readonly user: { readonly x509: X509Signer; readonly ssh: SshSigner };
  readonly host: { readonly x509: X509Signer; readonly ssh: SshSigner };
  readonly join: JwtSigner;
  readonly app: JwtSigner;
}

/** Takes over from `before` what has not changed. Rejects where a private key is missing. */
export async function hold(store: Store, authorities: AuthoritySet, before?: Held): Promise<Held> {
  const trust = trustOf(authorities);
  return {
    authorities,
    signers: await loadSigners(store, authorities, before),
    trust: before && sameTrust(before.trust, trust) ? before.trust : trust,
    joinKeys: {
      trusted: trustedKeys(authorities.join).map(jwtPublicKey),
      retired: retiredKeys(authorities.join).map(({ keys, until }) => ({
        publicKey: jwtPublicKey(keys),
        until,
      })),
    },
    joinStates: sameJoin(before, authorities) ? before.joinStates : new KnownDocuments(),
  };
}

const sameJoin = (before: Held | undefined, { join }: AuthoritySet): before is Held =>
  before?.authorities.join.metadata.revision === join.metadata.revision;

async function loadSigners(
  store: Store,
  authorities: AuthoritySet,
  before: Held | undefined,
): Promise<Signers> {
  const signer = async <T extends keyof Signers>(
    type: T,
    make: (keys: StoredKeys) => Signers[T],
  ): Promise<Signers[T]> => {
    const { active } = authorities[type].spec;
    if (before?.authorities[type].spec.active.key_id === active.key_id) return before.signers[type];
    return make({ publicKeys: active, privateKeys: await readPrivateKeys(store, active.key_id) });
  };
  const both = (keys: StoredKeys) => ({ x509: x509Signer(keys), ssh: sshSignerOf(keys) });
  const [user, host, join, app] = await Promise.all([
    signer("user", both),
    signer("host", both),
    signer("join", jwtSigner),
    signer("app", jwtSigner),
  ]);
  return { user, host, join, app };
}

/** Whether nothing has been written to any of them since. */
export function sameRevisions(one: AuthoritySet, other: AuthoritySet): boolean {
  return (Object.keys(one) as AuthorityType[]).every(
    (type) => one[type].metadata.revision === other[type].metadata.revision,
  );
}
