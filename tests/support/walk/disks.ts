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
  const fingerprint = async (keyId: string): Promise<string> => {
    const known = fingerprints.get(keyId) ?? sshFingerprint(await keys.public(keyId));
    fingerprints.set(keyId, known);
    return known;
  };
  const disk = await storage.load();
  const held = await keys.list();
  const kept = (disk?.bound_keys ?? []).filter((id) => held.some(({ keyId }) => keyId === id));
  const ids = kept.length > 0 ? kept : held.slice(-1).map(({ keyId }) => keyId);
  const known = await Promise.all(ids.map(fingerprint));
  const joined = disk?.joined;
  return {
    attemptId: disk?.pending?.attempt_id,
    keys: known.length > 0 ? known : ["a new one"],
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

/** What costs more to read than the walk around it: keys by id and line, certificates by their text. */
const fingerprints = new Map<string, string>();
const certificates = new Map<string, { readonly x509: X509; readonly certificate: Certificate }>();
const MAX_READ = 500;

export function fingerprintOf(line: string): string {
  const known = fingerprints.get(line) ?? sshFingerprint(line);
  fingerprints.set(line, known);
  return known;
}

/** Between two walks. */
export function forgetRead(): void {
  if (fingerprints.size > MAX_READ) fingerprints.clear();
  if (certificates.size > MAX_READ) certificates.clear();
}

function certificateOf(cluster: JoinCluster, base64: string): Certificate | undefined {
  const read = certificates.get(base64) ?? readCertificate(cluster, Buffer.from(base64, "base64"));
  certificates.set(base64, read);
  const now = cluster.clock.now();
  const { notBefore, notAfter } = read.x509;
  return notBefore <= now && now < notAfter ? read.certificate : undefined;
}

function readCertificate(cluster: JoinCluster, der: Buffer) {
  const x509 = parseX509(der);
  const { identity } = verifyClientCertificate(der, cluster.authorities.trust(), x509.notBefore);
  const { generation } = identity;
  const instance = "user" in identity ? identity.botInstanceId : identity.instanceId;
  assert.ok(instance !== undefined && generation !== undefined);
  return { x509, certificate: { instance, generation } };
}
