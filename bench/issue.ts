import {
  basicConstraints,
  extendedKeyUsage,
  generateKeyPair,
  issueSshCertificate,
  issueX509,
  keyUsage,
  privateExtension,
  selfSignX509,
  spkiDer,
  sshPublicKeyLine,
  sshSigner,
  x509Issuer,
} from "#base/crypto";
import { silentLogger, systemClock } from "#base/kernel";
import { openMemoryStore } from "#base/storage";
import { Authorities, ClientVerifier, type UserClaims } from "#domain/authority";
import { randomBytes, sign, verify } from "node:crypto";
import {
  machine,
  measureBeside,
  type BenchOptions,
  type BenchResult,
  type BenchRow,
} from "./support.ts";

export const name = "issue";

/** Issued and verified per second on one core, beside the bare signatures that the work contains. */
export async function run({ quick, log }: BenchOptions): Promise<BenchResult> {
  const rounds = quick ? 3 : 15;
  const ms = quick ? 50 : 150;
  const rows: BenchRow[] = [];
  for (const { name, once, peer } of await allWork()) {
    log(name);
    rows.push(
      await measureBeside({
        name,
        unit: "/s",
        rounds,
        ours: () => ratePerCore(ms, once),
        peer: { name: peer.name, once: () => ratePerCore(ms, peer.once) },
      }),
    );
  }
  return { bench: name, machine: machine(), rows };
}

/** How often per second of one core's time, which other work on the machine does not take away. */
function ratePerCore(ms: number, once: () => void): number {
  const before = process.cpuUsage();
  let count = 0;
  for (;;) {
    for (let i = 0; i < 50; i++) once();
    count += 50;
    const { user, system } = process.cpuUsage(before);
    if (user + system >= ms * 1_000) return (count * 1e6) / (user + system);
  }
}

interface Peer {
  readonly name: string;
  readonly once: () => void;
}
interface Work {
  readonly name: string;
  readonly once: () => void;
  readonly peer: Peer;
}

async function allWork(): Promise<Work[]> {
  const peers = bareSignatures();
  return [
    { name: "x509", once: x509Work(), peer: peers.ecdsa },
    { name: "ssh", once: sshWork(), peer: peers.eddsa },
    ...(await authorityWork(peers)),
  ];
}

/** About what the signed part of a certificate takes. */
const SIGNED_BYTES = 600;

function bareSignatures() {
  const bytes = randomBytes(SIGNED_BYTES);
  const p256 = generateKeyPair("ecdsa-p256");
  const ed25519 = generateKeyPair("ed25519");
  const signature = sign("sha256", bytes, p256.privateKey);
  const edSignature = sign(null, bytes, ed25519.privateKey);
  const ecdsa = (): unknown => sign("sha256", bytes, p256.privateKey);
  const eddsa = (): unknown => sign(null, bytes, ed25519.privateKey);
  return {
    ecdsa: { name: "ECDSA P-256 signature", once: ecdsa },
    eddsa: { name: "Ed25519 signature", once: eddsa },
    both: { name: "both signatures", once: () => [ecdsa(), eddsa()] },
    ecdsaCheck: {
      name: "ECDSA P-256 verification",
      once: () => verify("sha256", bytes, p256.publicKey, signature),
    },
    eddsaCheck: {
      name: "Ed25519 verification",
      once: () => verify(null, bytes, ed25519.publicKey, edSignature),
    },
  };
}

const HOUR_MS = 60 * 60 * 1000;
const validity = (): { notBefore: number; notAfter: number } => {
  const now = Date.now();
  return { notBefore: now - 60_000, notAfter: now + HOUR_MS };
};

/** An identity as bots have it: the writer alone, with the same bytes in it each time. */
function x509Work(): () => void {
  const { privateKey } = generateKeyPair("ecdsa-p256");
  const subject = { commonName: "tenon user authority", organization: "example.com" };
  const extensions = [basicConstraints({ pathLength: 0 }), keyUsage("keyCertSign")];
  const authority = selfSignX509({ privateKey, subject, ...validity(), extensions });
  const issuer = x509Issuer(authority, privateKey);
  const publicKeySpki = spkiDer(generateKeyPair("ecdsa-p256").publicKey);
  const fixed = [
    basicConstraints("end-entity"),
    keyUsage("digitalSignature"),
    extendedKeyUsage("clientAuth"),
  ];
  const identity = privateExtension("1.3.6.1.4.1.99999.1");
  const json = Buffer.from(JSON.stringify(claims));
  return () =>
    issueX509({
      issuer,
      subject: { commonName: claims.user },
      publicKeySpki,
      ...validity(),
      extensions: [...fixed, identity(json)],
    });
}

function sshWork(): () => void {
  const signer = sshSigner(generateKeyPair("ed25519").privateKey);
  const publicKeyLine = sshPublicKeyLine(generateKeyPair("ed25519").publicKey);
  return () => {
    const { notBefore, notAfter } = validity();
    issueSshCertificate({
      type: "user",
      signer,
      publicKeyLine,
      keyId: claims.user,
      serial: 1n,
      principals: claims.logins,
      validAfter: notBefore,
      validBefore: notAfter,
      criticalOptions: {},
      extensions: { "permit-port-forwarding": "", "permit-pty": "", "user@tenon.dev": claims.user },
    });
  };
}

const claims: UserClaims = {
  user: "bot-deployer",
  roles: ["access", "deploy-production"],
  traits: { logins: ["deploy", "root"], team: ["platform"] },
  logins: ["deploy", "root"],
  botName: "deployer",
  botInstanceId: "1d0a9e4e-7f83-4f0a-9c59-5d1f6c3a2b10",
  generation: 12,
  joinToken: "deployer-token",
  boundKeyFingerprint: "SHA256:WZn0m9KDIGCkzoSzLQCuZ6vqkVu3QKxzkyXq1gKDtRc",
  allowReissue: true,
};

/** What the cluster really does for a join or an output, from the decided identity on. */
async function authorityWork(peers: ReturnType<typeof bareSignatures>): Promise<Work[]> {
  const authorities = await Authorities.open({
    store: openMemoryStore({ clock: systemClock, indexes: [] }),
    clock: systemClock,
    logger: silentLogger,
    clusterName: "example.com",
  });
  const key = generateKeyPair("ecdsa-p256").publicKey;
  const tls = { tlsPublicKey: spkiDer(key), ttlMs: HOUR_MS };
  const ssh = { sshPublicKey: sshPublicKeyLine(key), ttlMs: HOUR_MS };
  const state = {
    aud: "deployer",
    sub: "deployer-token",
    first_instance_id: "6c1f5e0a-52d4-4c0b-8a35-0d3f8f6d7a11",
    bot_instance_id: "1d0a9e4e-7f83-4f0a-9c59-5d1f6c3a2b10",
    recovery_sequence: 3,
    recovery_count: 2,
    recovery_limit: 10,
    recovery_mode: "standard",
  } as const;
  const signed = authorities.signJoinState(state);
  const app = { uri: "http://127.0.0.1:8080", user: claims.user, roles: [], traits: {} };
  const verifier = new ClientVerifier(authorities.trust());
  const { tlsCertificate } = authorities.issueUser(claims, tls);
  return [
    { name: "join_state", once: () => authorities.signJoinState(state), peer: peers.eddsa },
    { name: "user_x509", once: () => authorities.issueUser(claims, tls), peer: peers.ecdsa },
    { name: "user_ssh", once: () => authorities.issueUser(claims, ssh), peer: peers.eddsa },
    {
      name: "user_x509_and_ssh",
      once: () => authorities.issueUser(claims, { ...tls, ...ssh }),
      peer: peers.both,
    },
    {
      name: "app_token",
      once: () => authorities.signAppToken({ ...app, ttlMs: HOUR_MS }),
      peer: peers.ecdsa,
    },
    {
      name: "verify_certificate",
      once: () => verifier.verify(tlsCertificate, Date.now()),
      peer: peers.ecdsaCheck,
    },
    {
      name: "verify_join_state",
      once: () => authorities.verifyJoinState(signed),
      peer: peers.eddsaCheck,
    },
  ];
}
