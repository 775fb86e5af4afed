import { generateKeyPair, privateKeyPem, spkiDer, x509Pem } from "#base/crypto";
import { silentLogger, type Clock } from "#base/kernel";
import { openMemoryStore, type Store } from "#base/storage";
import {
  Authorities,
  HOST_SERVER_NAME,
  type HostClaims,
  type Trust,
  type UserClaims,
} from "#domain/authority";
import { eventIndexes } from "#domain/audit";
import { storeIndexes } from "#domain/resources";
import { signInIndexes } from "#domain/sign-in";
import { randomUUID } from "node:crypto";

/** A certificate and its key, PEM, as TLS takes them. */
export interface TestIdentity {
  readonly cert: string;
  readonly key: string;
  /** DER. */
  readonly certificate: Buffer;
  readonly expires: number;
}

/** Certificates from real authorities. */
export class IdentityMaker {
  readonly authorities: Authorities;

  constructor(authorities: Authorities) {
    this.authorities = authorities;
  }

  get trust(): Trust {
    return this.authorities.trust();
  }

  /** For `ca` of a TLS client. */
  get hostCa(): string[] {
    return this.trust.hostX509.map((der) => x509Pem(der));
  }

  get serverName(): string {
    return HOST_SERVER_NAME(this.trust.clusterName);
  }

  user(claims: Partial<UserClaims> = {}, ttlMs = 3_600_000): TestIdentity {
    const all = {
      user: "alice",
      roles: [],
      traits: {},
      logins: [],
      allowReissue: false,
      ...claims,
    };
    return identity((tlsPublicKey) => this.authorities.issueUser(all, { tlsPublicKey, ttlMs }));
  }

  host(claims: Partial<HostClaims> = {}, ttlMs = 3_600_000): TestIdentity {
    const all: HostClaims = { hostId: randomUUID(), roles: ["App"], ...claims };
    return identity((tlsPublicKey) => this.authorities.issueHost(all, { tlsPublicKey, ttlMs }));
  }
}

/** The same on a store in memory, without the rest of a cluster. */
export class TestIdentities extends IdentityMaker {
  readonly store: Store;

  static async open(clock: Clock, clusterName = "example.test"): Promise<TestIdentities> {
    const store = openMemoryStore({
      clock,
      indexes: [...storeIndexes, ...eventIndexes, ...signInIndexes],
    });
    const logger = silentLogger;
    return new TestIdentities(store, await Authorities.open({ store, clock, logger, clusterName }));
  }

  private constructor(store: Store, authorities: Authorities) {
    super(authorities);
    this.store = store;
  }
}

type Issued = ReturnType<Authorities["issueUser"]>;

function identity(issue: (tlsPublicKey: Buffer) => Issued): TestIdentity {
  const { privateKey, publicKey } = generateKeyPair("ecdsa-p256");
  const { tlsCertificate, expires } = issue(spkiDer(publicKey));
  return {
    cert: x509Pem(tlsCertificate),
    key: privateKeyPem(privateKey),
    certificate: tlsCertificate,
    expires,
  };
}
