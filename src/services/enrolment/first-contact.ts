import { fromJsonString } from "@bufbuild/protobuf";
import { TrustBundleSchema } from "@tenon/api/tenon/join/v1/join";
import { accessDenied, messageOf, unavailable } from "#base/kernel";
import { spkiPin } from "#base/crypto";
import { trustFromProto, type Trust } from "#domain/authority";
import { request } from "node:https";
import type { Address } from "./address.ts";

/** Trust bundles are a few kilobytes; more is not one. */
const MAX_BUNDLE_BYTES = 1024 * 1024;
const DEADLINE_MS = 10_000;

/**
 * The host authorities of a cluster that this machine has never met. With pins, whatever answers is
 * believed only as far as a pin confirms it; without them, its web certificate must be one that this
 * system trusts. The caller asks for the rest of the bundle over a connection that these verify.
 */
export async function firstContact(options: {
  address: Address;
  caPins: readonly string[];
  signal: AbortSignal;
}): Promise<Trust> {
  const { address, caPins } = options;
  const trust = parseBundle(await fetchBundle(options), address);
  if (caPins.length === 0) return trust;
  const pinned = trust.hostX509.filter((der) => caPins.includes(spkiPin(der)));
  if (pinned.length > 0) return { ...trust, hostX509: pinned };
  const found = trust.hostX509.map((der) => spkiPin(der)).join(", ") || "none";
  throw accessDenied(
    `the cluster at "${address.host}:${address.port}" is not the one you pinned: its host authority is ${found}, not ${caPins.join(", ")}; compare with \`tctl status\`, and if the authority was rotated use the new pin`,
  );
}

function fetchBundle({
  address,
  caPins,
  signal,
}: {
  address: Address;
  caPins: readonly string[];
  signal: AbortSignal;
}): Promise<string> {
  return new Promise((resolve, reject) => {
    const fail = (error: unknown): void => reject(contactError(address, error));
    const call = request(
      {
        host: address.host,
        port: address.port,
        path: "/webapi/trust",
        rejectUnauthorized: caPins.length === 0,
        minVersion: "TLSv1.3",
        agent: false,
        signal: AbortSignal.any([signal, AbortSignal.timeout(DEADLINE_MS)]),
      },
      (response) => {
        const chunks: Buffer[] = [];
        let size = 0;
        response.on("data", (chunk: Buffer) => {
          size += chunk.length;
          if (size > MAX_BUNDLE_BYTES)
            call.destroy(new Error(`the answer is over ${MAX_BUNDLE_BYTES} bytes`));
          else chunks.push(chunk);
        });
        response.on("error", fail);
        response.on("end", () => {
          if (response.statusCode === 200) resolve(Buffer.concat(chunks).toString("utf8"));
          else
            fail(
              new Error(
                `it answered ${response.statusCode} at /webapi/trust; is it a Tenon proxy?`,
              ),
            );
        });
      },
    );
    call.on("error", fail).end();
  });
}

function parseBundle(text: string, address: Address): Trust {
  try {
    return trustFromProto(fromJsonString(TrustBundleSchema, text, { ignoreUnknownFields: true }));
  } catch (error) {
    throw contactError(address, error);
  }
}

function contactError({ host, port }: Address, error: unknown): Error {
  const selfSigned =
    error instanceof Error &&
    "code" in error &&
    /SELF_SIGNED|UNABLE_TO_VERIFY|CERT_|ALTNAME/.test(String(error.code));
  const advice = selfSigned
    ? "its web certificate is not one that this system trusts: give the CA pin that `tctl status` prints (--ca-pin sha256:…, or the join URI with it)"
    : "check the address, and that the cluster is running";
  return unavailable(
    `cannot reach the cluster at "${host}:${port}" (${reasonOf(error)}); ${advice}`,
    { cause: error },
  );
}

/** A name with several addresses fails with an error for each, and no message of its own. */
function reasonOf(error: unknown): string {
  if (!(error instanceof AggregateError) || error.message !== "") return messageOf(error);
  return error.errors.map(messageOf).join(", ");
}
