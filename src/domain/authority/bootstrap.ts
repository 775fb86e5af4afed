import { badParameter, codeOf, internal, unavailable, type Logger } from "#base/kernel";
import type { JsonObject, Store, Write } from "#base/storage";
import {
  authorityTypes,
  certAuthorityKind,
  Resources,
  writeOf,
  type AuthorityType,
  type CertAuthority,
} from "#domain/resources";
import { generateKeys, parsePrivateKeys, type Circumstances, type PrivateKeys } from "./keys.ts";

/** Where private keys lie: a kind of the store's that is no resource, so no RPC reaches it. */
export const CA_KEY_KIND = "ca_key";

export type AuthoritySet = Readonly<Record<AuthorityType, CertAuthority>>;

export interface BootstrapOptions {
  readonly store: Store;
  readonly logger: Logger;
  readonly now: number;
  /** Needed at the first start; later it must be the same, or absent. */
  readonly clusterName?: string;
  /** Committed together with the first authorities. */
  readonly firstWrites?: readonly Write[];
}

/** Losing to another process once is normal; more often means that the store contradicts itself. */
const ATTEMPTS = 3;

/** Every authority of the cluster. Those that are missing are made, all in one commit. */
export async function ensureAuthorities(options: BootstrapOptions): Promise<AuthoritySet> {
  for (let attempt = 0; attempt < ATTEMPTS; attempt++) {
    const found = await readAuthorities(options.store);
    const missing = authorityTypes.filter((type) => !found.has(type));
    const clusterName = agreedName(found, options.clusterName);
    if (missing.length === 0) return Object.fromEntries(found) as AuthoritySet;
    const writes = missing.flatMap((type) => newAuthority(type, { clusterName, now: options.now }));
    const first = found.size === 0 ? (options.firstWrites ?? []) : [];
    if (await committed(options.store, [...writes, ...first]))
      options.logger.info("made certificate authorities", { types: missing.join(",") });
  }
  throw unavailable("the authorities could not be made: other processes keep changing them");
}

/** All of them as they are now; `unavailable` while they have not been made. */
export async function readAuthoritySet(store: Store): Promise<AuthoritySet> {
  const found = await readAuthorities(store);
  if (authorityTypes.every((type) => found.has(type)))
    return Object.fromEntries(found) as AuthoritySet;
  throw unavailable("the store does not hold every authority of the cluster");
}

async function readAuthorities(store: Store): Promise<Map<AuthorityType, CertAuthority>> {
  const found = new Map<AuthorityType, CertAuthority>();
  for await (const authority of new Resources(store).all("cert_authority"))
    found.set(authority.spec.type, authority);
  return found;
}

/** Certificates name the cluster, so its name can never change. */
function agreedName(
  found: ReadonlyMap<AuthorityType, CertAuthority>,
  wanted: string | undefined,
): string {
  const [stored] = [...found.values()].map((authority) => authority.spec.cluster_name);
  if (stored !== undefined && wanted !== undefined && stored !== wanted)
    throw badParameter(
      `this data belongs to the cluster "${stored}", not "${wanted}"; a cluster cannot be renamed: use another data directory, or the old name`,
    );
  const name = stored ?? wanted;
  if (name === undefined) throw badParameter("the first start of a cluster needs its name");
  return checkedName(name);
}

/** RFC 6066 gives SNI 255 bytes; the name of a proxy adds 22 to the cluster's. */
const MAX_CLUSTER_NAME = 230;

function checkedName(name: string): string {
  if (name.length > MAX_CLUSTER_NAME || !/^[a-z0-9]([a-z0-9.-]*[a-z0-9])?$/.test(name))
    throw badParameter(
      `"${name}" cannot name a cluster; use a lower-case DNS name of at most ${MAX_CLUSTER_NAME} characters`,
    );
  return name;
}

function newAuthority(type: AuthorityType, about: Circumstances): Write[] {
  const { publicKeys, privateKeys } = generateKeys(type, about);
  const resource = certAuthorityKind.schema.parse({
    kind: certAuthorityKind.kind,
    version: certAuthorityKind.version,
    metadata: { name: type },
    spec: { type, cluster_name: about.clusterName, active: publicKeys },
    status: { phase: "standby" },
  });
  const value: JsonObject = { ...privateKeys };
  return [
    writeOf(resource, "create"),
    { op: "create", kind: CA_KEY_KIND, name: publicKeys.key_id, value },
  ];
}

/** False when another process was first. */
async function committed(store: Store, writes: readonly Write[]): Promise<boolean> {
  try {
    await store.commit(writes);
    return true;
  } catch (error) {
    if (codeOf(error) === "already_exists") return false;
    throw error;
  }
}

/** The private halves of the keys that sign now. */
export async function readPrivateKeys(store: Store, keyId: string): Promise<PrivateKeys> {
  const item = await store.get(CA_KEY_KIND, keyId);
  if (!item) throw internal(`the private keys "${keyId}" are missing from the store`);
  return parsePrivateKeys(item.value);
}
