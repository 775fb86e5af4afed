// What a machine of a walk has on its disk, as it will present it.
import assert from "node:assert/strict";
import { parseX509, sshFingerprint, type X509 } from "#base/crypto";
import { verifyClientCertificate } from "#domain/authority";
import type { JoinCluster } from "../join.ts";
import type { Machine } from "../join-machine.ts";

export interface State {
  readonly jwt: string;
  /** The first instance of the token's life. */
  readonly life: string;
  readonly sequence: number;
  readonly instance: string;
  readonly recoveries: number;
  /** Fingerprint of the key that was bound. */
  readonly key: string;
  readonly signedAt: number;
}

export interface Certificate {
  readonly instance: string;
  readonly generation: number;
}

export interface Presented {
  readonly attemptId: string | undefined;
  /** Fingerprints, the one to join with first. */
  readonly keys: readonly string[];
  readonly secret: string;
  readonly hostId: string;
  readonly state: State | undefined;
  /** As far as the server will take it for valid. */
  readonly certificate: Certificate | undefined;
}

export async function presentedBy(cluster: JoinCluster, machine: Machine): Promise<Presented> {
  const { storage, keys, settings } = machine;
  const disk = await storage.load();
  const held = await keys.list();
  const kept = (disk?.bound_keys ?? []).filter((id) => held.some(({ keyId }) => keyId === id));
  const ids = kept.length > 0 ? kept : held.slice(-1).map(({ keyId }) => keyId);
  const fingerprints = await Promise.all(
    ids.map(async (id) => sshFingerprint(await keys.public(id))),
  );
  const joined = disk?.joined;
  return {
    attemptId: disk?.pending?.attempt_id,
    keys: fingerprints.length > 0 ? fingerprints : ["a new one"],
    secret: settings.registrationSecret ?? "",
    hostId: settings.host.hostId ?? "",
    state: joined && stateOf(joined.join_state),
    certificate:
      joined && !machine.anonymous ? certificateOf(cluster, joined.tls_certificate) : undefined,
  };
}

export async function stateIn(machine: Machine): Promise<State | undefined> {
  const joined = (await machine.storage.load())?.joined;
  return joined && stateOf(joined.join_state);
}

function stateOf(jwt: string): State {
  const claims = JSON.parse(Buffer.from(jwt.split(".")[1]!, "base64url").toString()) as {
    first_instance_id: string;
    recovery_sequence: number;
    bot_instance_id: string;
    recovery_count: number;
    bound_key: string;
    iat: number;
  };
  return {
    jwt,
    life: claims.first_instance_id,
    sequence: claims.recovery_sequence,
    instance: claims.bot_instance_id,
    recoveries: claims.recovery_count,
    key: claims.bound_key,
    signedAt: claims.iat * 1000,
  };
}

/** Reading a certificate costs more than the walk around it. */
const MAX_PARSED = 500;
const parsed = new Map<string, X509>();

function certificateOf(cluster: JoinCluster, base64: string): Certificate | undefined {
  const der = Buffer.from(base64, "base64");
  const x509 = parsed.get(base64) ?? parseX509(der);
  if (parsed.size > MAX_PARSED) parsed.clear();
  parsed.set(base64, x509);
  const now = cluster.clock.now();
  if (now < x509.notBefore || now >= x509.notAfter) return undefined;
  const { identity } = verifyClientCertificate(der, cluster.authorities.trust(), now);
  const { generation } = identity;
  const instance = "user" in identity ? identity.botInstanceId : identity.instanceId;
  assert.ok(instance !== undefined && generation !== undefined);
  return { instance, generation };
}
