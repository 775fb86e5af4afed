import { create, type MessageInitShape } from "@bufbuild/protobuf";
import { HostFactsSchema, InitSchema, type Init } from "@tenon/api/tenon/join/v1/join";
import {
  boundKeyLine,
  privateKeyFromPem,
  spkiDer,
  sshPublicKeyLine,
  type KeyStore,
} from "#base/crypto";
import { badParameter } from "#base/kernel";
import type { Prepared } from "./client-state.ts";
import type { JoinSettings } from "./client.ts";
import type { JoinMethod } from "./uri.ts";

interface About {
  readonly settings: JoinSettings;
  readonly keys: KeyStore;
  readonly state: Prepared;
  readonly signal: AbortSignal;
  /** The cluster was restored from a backup, and may have forgotten the first join. */
  readonly resyncs: boolean;
}

/** The first message of an attempt, as it is on the disk. */
export async function initOf(about: About): Promise<Init> {
  const { settings, state } = about;
  const { pending } = state;
  return create(InitSchema, {
    attemptId: pending.attempt_id,
    token: settings.token,
    tlsPublicKey: spkiDer(privateKeyFromPem(pending.tls_private_key)),
    sshPublicKey: sshPublicKeyLine(privateKeyFromPem(pending.ssh_private_key)),
    host: create(HostFactsSchema, settings.host),
    role: settings.role,
    ttlSeconds: Math.ceil((settings.ttlMs ?? 0) / 1000),
    method: await blocks[settings.method](about),
  });
}

type Block = NonNullable<MessageInitShape<typeof InitSchema>["method"]>;

/** What each method adds to the Init. */
const blocks: Readonly<Record<JoinMethod, (about: About) => Promise<Block>>> = {
  token: async () => ({ case: "tokenMethod", value: {} }),
  bound_keypair: boundKeypairBlock,
  oidc: idTokenBlock,
  github: idTokenBlock,
  gitlab: idTokenBlock,
  kubernetes: idTokenBlock,
};

async function boundKeypairBlock({ settings, keys, state, resyncs }: About): Promise<Block> {
  const { bound_keys, joined, pending } = state;
  const publicKey = boundKeyLine(await keys.public(bound_keys[0]!));
  const previousJoinState = joined?.token === settings.token ? joined.join_state : "";
  const first = previousJoinState === "" || resyncs;
  const registrationSecret = first ? (settings.registrationSecret ?? "") : "";
  const rotate = pending.rotate ?? false;
  const value = { publicKey, previousJoinState, registrationSecret, rotate };
  return { case: "boundKeypair", value };
}

async function idTokenBlock({ settings, state: { joined }, signal }: About): Promise<Block> {
  const { method, token, idToken: source } = settings;
  if (!source)
    throw badParameter(`join method "${method}" needs an ID token, and none was configured`);
  const before = joined?.token === token ? joined.tls_certificate : "";
  const previousCertificate = Buffer.from(before, "base64");
  const idToken = source.kind === "held" ? await source.read(signal) : "";
  return { case: "oidc", value: { idToken, previousCertificate } };
}
