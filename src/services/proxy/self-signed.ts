import {
  basicConstraints,
  derFromPem,
  extendedKeyUsage,
  generateKeyPair,
  keyUsage,
  parseX509,
  privateKeyPem,
  selfSignX509,
  subjectAltName,
  x509Pem,
} from "#base/crypto";
import { writeFileAtomic, type Clock, type Logger } from "#base/kernel";
import { createPrivateKey, X509Certificate } from "node:crypto";
import { readFile } from "node:fs/promises";
import { isIP } from "node:net";
import { join } from "node:path";
import type { ServerCertificate } from "./certificate.ts";

const DAY_MS = 86_400_000;
/** The longest that browsers accept of a web certificate. */
const LIFETIME_MS = 397 * DAY_MS;
const RENEW_BEFORE_MS = 30 * DAY_MS;
const BACKDATE_MS = 60_000;

export interface SelfSignedOptions {
  readonly dataDir: string;
  /** DNS names (a first label may be `*`) and IP addresses. */
  readonly names: readonly string[];
  readonly clock: Clock;
  readonly logger: Logger;
}

export const selfSignedFiles = (dataDir: string): { cert: string; key: string } => ({
  cert: join(dataDir, "web.crt"),
  key: join(dataDir, "web.key"),
});

/** The certificate in the data directory while it is good for these names, else a new one there. */
export async function selfSignedCertificate(
  options: SelfSignedOptions,
): Promise<ServerCertificate> {
  const files = selfSignedFiles(options.dataDir);
  const stored = await readPair(files);
  if (stored && isGood(stored, options)) return stored;
  const made = make(options);
  // The key first: a certificate without its key is made anew at the next start, and so is the pair.
  await writeFileAtomic(files.key, made.key);
  await writeFileAtomic(files.cert, made.cert, { mode: 0o644 });
  options.logger.info("made a self-signed web certificate", { file: files.cert });
  return made;
}

async function readPair(files: {
  cert: string;
  key: string;
}): Promise<ServerCertificate | undefined> {
  try {
    const [cert, key] = await Promise.all([
      readFile(files.cert, "utf8"),
      readFile(files.key, "utf8"),
    ]);
    return { cert, key };
  } catch {
    return undefined;
  }
}

function isGood({ cert, key }: ServerCertificate, { names, clock }: SelfSignedOptions): boolean {
  try {
    const der = derFromPem(cert)[0]!;
    const parsed = parseX509(der);
    const covered = new Set([...parsed.dnsNames, ...parsed.ipAddresses]);
    return (
      new X509Certificate(der).checkPrivateKey(createPrivateKey(key)) &&
      parsed.notAfter - clock.now() > RENEW_BEFORE_MS &&
      names.every((name) => covered.has(name))
    );
  } catch {
    return false;
  }
}

function make({ names, clock }: SelfSignedOptions): ServerCertificate {
  const { privateKey } = generateKeyPair("ecdsa-p256");
  const der = selfSignX509({
    subject: { commonName: names[0]!, organization: "Tenon, self-signed" },
    privateKey,
    notBefore: clock.now() - BACKDATE_MS,
    notAfter: clock.now() + LIFETIME_MS,
    extensions: [
      basicConstraints("end-entity"),
      keyUsage("digitalSignature"),
      extendedKeyUsage("serverAuth"),
      subjectAltName({
        dnsNames: names.filter((name) => !isIP(name)),
        ipAddresses: names.filter((name) => isIP(name)),
      }),
    ],
  });
  return { cert: x509Pem(der), key: privateKeyPem(privateKey) };
}
