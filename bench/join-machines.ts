// The machines of bench/join.ts, and the store they are in: tokens and instances as joins leave them.
import { randomUUID, type KeyObject } from "node:crypto";
import { createSecureContext, type SecureContext } from "node:tls";
import {
  boundKeyFingerprint,
  boundKeyLine,
  generateKeyPair,
  privateKeyPem,
  sha256Hex,
  spkiDer,
  sshPublicKeyLine,
  x509Pem,
} from "#base/crypto";
import { MAX_WRITES, type Store, type Write } from "#base/storage";
import type { Authorities } from "#domain/authority";
import {
  botInstanceName,
  botUserName,
  MAX_RECORDS,
  parseDocument,
  writeOf,
  type Authentication,
  type BotInstance,
  type Token,
} from "#domain/resources";
import { tokenName } from "./join-crowd.ts";

const HOUR_MS = 60 * 60 * 1000;
const SECRET = "0123456789abcdef0123456789abcdef";

/** One machine: its keys, and what its last join gave it. */
export interface Machine {
  readonly token: string;
  readonly bound: { readonly privateKey: KeyObject; readonly line: string };
  readonly tls: { readonly pem: string; readonly spki: Buffer };
  readonly sshLine: string;
  /** Of a first join. */
  readonly secret: string;
  joinState: string;
  /** DER; without one it can only recover. */
  certificate: Buffer | undefined;
}

export interface Population {
  /** Tokens and instances in the store, these machines' among them. */
  readonly size: number;
  /** Machines that have joined before, spread over all tokens. */
  readonly joined: number;
  /** Machines whose token has never been used. */
  readonly fresh: number;
}

export interface Machines {
  readonly joined: readonly Machine[];
  readonly fresh: readonly Machine[];
}

/** One of the crowd, which is made of its copies. */
export const TEMPLATE = {
  token: "machine-template",
  bot: "fleet",
  instanceId: "7ec0de00-0000-4000-8000-000000000000",
} as const;

/** Every so many tokens one is measured. */
export const strideOf = ({ size, joined }: Population): number => Math.floor(size / joined);

/** Writes the machines, who get what the server would have signed for them, and the template. */
export async function populate(
  store: Store,
  authorities: Authorities,
  population: Population,
): Promise<Machines> {
  const { joined, fresh } = population;
  const stranger = boundKeyLine(generateKeyPair("ed25519").publicKey);
  const machines = {
    joined: Array.from({ length: joined }, (_, i) => tokenName(i * strideOf(population))),
    fresh: Array.from({ length: fresh }, (_, i) => newMachine(`fresh-${i}`)),
  };
  const known = machines.joined.map((token) => ({
    token,
    bot: TEMPLATE.bot,
    instanceId: randomUUID(),
  }));
  const measured = known.map((each) => joinedMachine(authorities, each));
  await writeAll(store, [
    writeOf(botDocument(TEMPLATE.bot), "create"),
    writeOf(usedToken(TEMPLATE, stranger), "create"),
    writeOf(instanceOf(TEMPLATE, 1), "create"),
    ...known.flatMap((each, i) => [
      writeOf(usedToken(each, measured[i]!.bound.line), "create"),
      writeOf(instanceOf(each, MAX_RECORDS), "create"),
    ]),
    ...machines.fresh.map(({ token }) => writeOf(freshToken(token), "create")),
  ]);
  return { joined: measured, fresh: machines.fresh };
}

async function writeAll(store: Store, writes: readonly Write[]): Promise<void> {
  for (let i = 0; i < writes.length; i += MAX_WRITES)
    await store.commit(writes.slice(i, i + MAX_WRITES));
}

/** A certificate and its key, as TLS wants them; as a stranger without a certificate. */
export const contextOf = ({ certificate, tls }: Machine, ca: string): SecureContext =>
  createSecureContext({
    ca,
    minVersion: "TLSv1.3",
    ...(certificate ? { cert: x509Pem(certificate), key: tls.pem } : {}),
  });

interface Known {
  readonly token: string;
  readonly bot: string;
  readonly instanceId: string;
}

const botDocument = (name: string) =>
  parseDocument({ kind: "bot", version: "v1", metadata: { name }, spec: { roles: ["access"] } });

function newMachine(token: string): Machine {
  const bound = generateKeyPair("ed25519");
  const tls = generateKeyPair("ecdsa-p256");
  return {
    token,
    bound: { privateKey: bound.privateKey, line: boundKeyLine(bound.publicKey) },
    tls: { pem: privateKeyPem(tls.privateKey), spki: spkiDer(tls.publicKey) },
    sshLine: sshPublicKeyLine(generateKeyPair("ed25519").publicKey),
    secret: SECRET,
    joinState: "",
    certificate: undefined,
  };
}

const started = new Date(Date.now() - HOUR_MS).toISOString();

function joinedMachine(authorities: Authorities, known: Known): Machine {
  const machine = newMachine(known.token);
  const boundKey = boundKeyFingerprint(machine.bound.line);
  const user = botUserName(known.bot);
  const claims = {
    user,
    roles: [user],
    traits: {},
    logins: [],
    botName: known.bot,
    botInstanceId: known.instanceId,
    generation: MAX_RECORDS,
    joinToken: known.token,
    boundKeyFingerprint: boundKey,
    allowReissue: true,
  };
  const keys = { tlsPublicKey: machine.tls.spki, ttlMs: HOUR_MS };
  machine.certificate = authorities.issueUser(claims, keys).tlsCertificate;
  machine.joinState = authorities.signJoinState({
    aud: known.bot,
    sub: known.token,
    bot_instance_id: known.instanceId,
    bound_key: boundKey,
    first_instance_id: known.instanceId,
    recovery_sequence: 1,
    recovery_count: 1,
    recovery_limit: RECOVERY_LIMIT,
    recovery_mode: "standard",
  });
  return machine;
}

const RECOVERY_LIMIT = 1_000_000;

const freshToken = (name: string): Token => ({
  ...tokenOf(name, TEMPLATE.bot),
  status: {
    bound_keypair: {
      registration_secret: SECRET,
      bound_public_key: "",
      first_instance_id: "",
      bound_bot_instance_id: "",
      recovery_count: 0,
      recovery_sequence: 0,
    },
  },
});

const usedToken = ({ token, bot, instanceId }: Known, line: string): Token => ({
  ...tokenOf(token, bot),
  status: {
    bound_keypair: {
      bound_public_key: line,
      first_instance_id: instanceId,
      bound_bot_instance_id: instanceId,
      recovery_count: 1,
      recovery_sequence: 1,
      last_recovered_at: started,
    },
  },
});

const tokenOf = (name: string, bot: string): Token => ({
  kind: "token",
  version: "v2",
  metadata: { name, labels: {} },
  spec: {
    roles: ["Bot"],
    bot_name: bot,
    join_method: "bound_keypair",
    bound_keypair: {
      onboarding: { initial_public_key: "", registration_secret: "" },
      recovery: { limit: RECOVERY_LIMIT, mode: "standard" },
    },
  },
});

function instanceOf({ token, bot, instanceId }: Known, records: number): BotInstance {
  const authentications = Array.from({ length: records }, (_, i): Authentication => ({
    time: started,
    join_method: "bound_keypair",
    token,
    generation: i + 1,
    key_fingerprint: sha256Hex(token),
    remote_addr: "192.0.2.17",
    recovery: i === 0,
    attributes: { hostname: token, os: "linux", architecture: "amd64", version: "0.1.0" },
  }));
  return {
    kind: "bot_instance",
    version: "v1",
    metadata: { name: botInstanceName(bot, instanceId), labels: {} },
    spec: { bot_name: bot, instance_id: instanceId },
    status: {
      generation: records,
      initial_authentication: authentications[0]!,
      latest_authentications: authentications,
      latest_heartbeats: [],
      service_health: [],
      notices: [],
    },
  };
}
