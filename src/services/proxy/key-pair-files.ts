import { badParameter, fileError } from "#base/kernel";
import { createPrivateKey, X509Certificate } from "node:crypto";
import { readFile } from "node:fs/promises";
import { createSecureContext } from "node:tls";
import type { ServerCertificate } from "./certificate.ts";

/** Where an operator keeps a web certificate, PEM. */
export interface KeyPairFiles {
  /** The certificate, followed by its chain. */
  readonly cert: string;
  readonly key: string;
}

/** Reads and checks one pair: `bad_parameter` for what TLS could not use. */
export async function readKeyPair(files: KeyPairFiles): Promise<ServerCertificate> {
  const [cert, key] = await Promise.all([read(files.cert), read(files.key)]);
  checkPair(files, { cert, key });
  return { cert, key };
}

function checkPair(files: KeyPairFiles, pair: ServerCertificate): void {
  const certificate = parse(files.cert, "certificate", () => new X509Certificate(pair.cert));
  const key = parse(files.key, "private key", () => createPrivateKey(pair.key));
  if (!certificate.checkPrivateKey(key))
    throw badParameter(
      `the key in "${files.key}" does not belong to the certificate in "${files.cert}"`,
    );
  parse(files.cert, "certificate chain", () => createSecureContext(pair));
}

function parse<T>(file: string, what: string, act: () => T): T {
  try {
    return act();
  } catch (cause) {
    throw badParameter(`"${file}" does not hold a PEM ${what} that TLS can use`, { cause });
  }
}

async function read(file: string): Promise<string> {
  try {
    return await readFile(file, "utf8");
  } catch (error) {
    throw fileError(`cannot read "${file}"`, error);
  }
}
