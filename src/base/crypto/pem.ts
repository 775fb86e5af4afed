import { badParameter } from "#base/kernel";

/** RFC 7468, label CERTIFICATE. */
export function x509Pem(der: Uint8Array): string {
  return pem("CERTIFICATE", der);
}

/** Strict RFC 7468: 64 characters a line. */
export function pem(label: string, der: Uint8Array, width = 64): string {
  const text = Buffer.from(der).toString("base64");
  const lines = text.match(new RegExp(`.{1,${width}}`, "g")) ?? [];
  return `-----BEGIN ${label}-----\n${lines.join("\n")}\n-----END ${label}-----\n`;
}

const BLOCK = /-----BEGIN CERTIFICATE-----([A-Za-z0-9+/=\s]*)-----END CERTIFICATE-----/g;

/** Every certificate of a PEM text, in order; text around the blocks is ignored. */
export function derFromPem(text: string): Buffer[] {
  const blocks = [...text.matchAll(BLOCK)].map(([, body = ""]) => Buffer.from(body, "base64"));
  if (blocks.length === 0)
    throw badParameter("no certificate found; expected PEM with -----BEGIN CERTIFICATE-----");
  return blocks;
}
