import type { HostFacts, Init } from "@tenon/api/tenon/join/v1/join";
import { publicKeyBytes, publicKeyBytesFromSshLine } from "#base/crypto";
import { badParameter } from "#base/kernel";
import type { HostIdentity, UserIdentity } from "#domain/access";
import type { VerifiedCertificate } from "#domain/authority";
import { resourceName, systemRoles, type SystemRole } from "#domain/resources";

/** One Init, checked as far as it can be without looking anything up: the same for everyone. */
export interface Attempt {
  readonly id: string;
  readonly token: string;
  readonly role: SystemRole;
  /** DER SubjectPublicKeyInfo. */
  readonly tlsPublicKey: Buffer;
  /** OpenSSH public key line; empty for no SSH certificate. */
  readonly sshPublicKey: string;
  readonly host: Facts;
  /** 0: the cluster's default. */
  readonly ttlMs: number;
  readonly remoteAddr: string;
  /** What the client proved by its TLS handshake. */
  readonly certificate: VerifiedCertificate | undefined;
}

/** A token's name as logs may show it while it may be a secret, or no token at all. */
export const maskedToken = (name: string): string =>
  name.length >= 16 ? `${name.slice(0, 4)}…` : "…";

export type Facts = Readonly<
  Record<"hostname" | "os" | "architecture" | "version" | "hostId", string>
>;

/** Where a message came from. */
export interface Origin {
  readonly remoteAddr: string;
  readonly certificate?: VerifiedCertificate;
}

const UUID = /^[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}$/;
/** Host names go to 253 bytes; the rest is shorter. */
const MAX_FACT = 253;
const MAX_SSH_KEY = 1024;

/** Throws `bad_parameter` naming the field. */
export function readAttempt(init: Init, origin: Origin): Attempt {
  if (!UUID.test(init.attemptId)) throw badParameter("attempt_id must be a lower-case UUID");
  if (!resourceName.safeParse(init.token).success)
    throw badParameter("token must be the name of a token; this can be none");
  return {
    id: init.attemptId,
    token: init.token,
    role: readRole(init.role),
    tlsPublicKey: readTlsKey(init.tlsPublicKey),
    sshPublicKey: readSshKey(init.sshPublicKey),
    host: readFacts(init.host),
    ttlMs: init.ttlSeconds * 1000,
    remoteAddr: origin.remoteAddr,
    certificate: origin.certificate,
  };
}

/** The identity of a bot's own certificate that this very token gave; outputs have no generation. */
export function ownIdentity(attempt: Attempt): BotCertificate | undefined {
  if (attempt.certificate?.kind !== "user") return undefined;
  const { identity } = attempt.certificate;
  const { botName, botInstanceId, generation, joinToken } = identity;
  if (joinToken !== attempt.token) return undefined;
  if (botName === undefined || botInstanceId === undefined || generation === undefined)
    return undefined;
  return { ...identity, botName, botInstanceId, generation };
}

/** The identity of an agent's certificate that this very token gave. */
export function ownHostIdentity(attempt: Attempt): HostIdentity | undefined {
  if (attempt.certificate?.kind !== "host") return undefined;
  const { identity } = attempt.certificate;
  return identity.joinToken === attempt.token ? identity : undefined;
}

export type BotCertificate = UserIdentity &
  Required<Pick<UserIdentity, "botName" | "botInstanceId" | "generation">>;

function readRole(text: string): SystemRole {
  const role = systemRoles.find((role) => role === text);
  if (!role) throw badParameter(`role "${text}" is unknown; use one of ${systemRoles.join(", ")}`);
  return role;
}

function readTlsKey(der: Uint8Array): Buffer {
  publicKeyBytes(der);
  return Buffer.from(der);
}

function readSshKey(line: string): string {
  if (line === "") return line;
  if (line.length > MAX_SSH_KEY)
    throw badParameter(`ssh_public_key is longer than ${MAX_SSH_KEY} characters`);
  publicKeyBytesFromSshLine(line);
  return line;
}

function readFacts(host: HostFacts | undefined): Facts {
  const { hostname = "", os = "", architecture = "", version = "", hostId = "" } = host ?? {};
  const facts = { hostname, os, architecture, version, hostId };
  for (const [name, value] of Object.entries(facts)) {
    if (value.length > MAX_FACT || /[^\x20-\x7e]/.test(value))
      throw badParameter(`host.${name} must be at most ${MAX_FACT} printable ASCII characters`);
  }
  if (hostId !== "" && !UUID.test(hostId))
    throw badParameter("host.host_id must be a lower-case UUID");
  return facts;
}
