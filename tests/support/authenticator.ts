import { createHash, generateKeyPairSync, randomBytes, sign, type KeyObject } from "node:crypto";

/** What a test may falsify of an answer. */
export interface Tampering {
  /** Of the page that asked, as the browser writes it down. */
  readonly origin?: string;
  readonly rpId?: string;
  readonly challenge?: string;
  readonly type?: string;
  /** Whether the person was verified, and present. */
  readonly verified?: boolean;
  readonly present?: boolean;
  /** Of signatures, instead of the next. */
  readonly counter?: number;
  /** Signs with another key. */
  readonly forged?: boolean;
}

const PRESENT = 0x01;
const VERIFIED = 0x04;
const ATTESTED = 0x40;

/** An authenticator in software (WebAuthn level 3): one passkey for P-256, no attestation. */
export class Authenticator {
  readonly id = randomBytes(16).toString("base64url");
  readonly #keys = generateKeyPairSync("ec", { namedCurve: "P-256" });
  readonly #origin: string;
  #userHandle = "";
  #counter = 0;

  /** `https://host[:port]` of the page. */
  constructor(origin: string) {
    this.#origin = origin;
  }

  /** As `navigator.credentials.create` answers, in JSON. */
  create(
    options: { readonly challenge: string; readonly user: { readonly id: string } },
    tampering: Tampering = {},
  ): object {
    this.#userHandle = options.user.id;
    const client = this.#clientData("webauthn.create", options.challenge, tampering);
    const id = Buffer.from(this.id, "base64url");
    const length = Buffer.from([id.length >> 8, id.length & 255]);
    const attested = Buffer.concat([Buffer.alloc(16), length, id, coseKey(this.#keys.publicKey)]);
    const authData = Buffer.concat([this.#authData(tampering, ATTESTED), attested]);
    const attestationObject = cbor(
      new Map<string, unknown>([
        ["fmt", "none"],
        ["attStmt", new Map()],
        ["authData", authData],
      ]),
    );
    return this.#answer({
      clientDataJSON: client.toString("base64url"),
      attestationObject: attestationObject.toString("base64url"),
      transports: ["internal"],
    });
  }

  /** As `navigator.credentials.get` answers, in JSON. */
  get(options: { readonly challenge: string }, tampering: Tampering = {}): object {
    this.#counter += 1;
    const client = this.#clientData("webauthn.get", options.challenge, tampering);
    const authData = this.#authData(tampering, 0);
    const signed = Buffer.concat([authData, createHash("sha256").update(client).digest()]);
    const key = tampering.forged
      ? generateKeyPairSync("ec", { namedCurve: "P-256" }).privateKey
      : this.#keys.privateKey;
    return this.#answer({
      clientDataJSON: client.toString("base64url"),
      authenticatorData: authData.toString("base64url"),
      signature: sign("sha256", signed, key).toString("base64url"),
      userHandle: this.#userHandle,
    });
  }

  #answer(response: object): object {
    const { id } = this;
    return { id, rawId: id, type: "public-key", clientExtensionResults: {}, response };
  }

  #clientData(type: string, challenge: string, tampering: Tampering): Buffer {
    const { origin = this.#origin } = tampering;
    const about = { type: tampering.type ?? type, challenge: tampering.challenge ?? challenge };
    return Buffer.from(JSON.stringify({ ...about, origin, crossOrigin: false }));
  }

  #authData({ rpId, verified = true, present = true, counter }: Tampering, more: number): Buffer {
    const hash = createHash("sha256").update(rpId ?? new URL(this.#origin).hostname);
    const flags = more | (present ? PRESENT : 0) | (verified ? VERIFIED : 0);
    const count = Buffer.alloc(4);
    count.writeUInt32BE(counter ?? this.#counter);
    return Buffer.concat([hash.digest(), Buffer.from([flags]), count]);
  }
}

/** RFC 9053: an EC2 key (1: 2) for ES256 (3: -7) on P-256 (-1: 1). */
function coseKey(key: KeyObject): Buffer {
  const { x = "", y = "" } = key.export({ format: "jwk" });
  return cbor(
    new Map<number, unknown>([
      [1, 2],
      [3, -7],
      [-1, 1],
      [-2, Buffer.from(x, "base64url")],
      [-3, Buffer.from(y, "base64url")],
    ]),
  );
}

/** RFC 8949, as much of it as attestations need. */
function cbor(value: unknown): Buffer {
  if (typeof value === "number") return value < 0 ? head(1, -1 - value) : head(0, value);
  if (typeof value === "string") return Buffer.concat([head(3, value.length), Buffer.from(value)]);
  if (Buffer.isBuffer(value)) return Buffer.concat([head(2, value.length), value]);
  const entries = [...(value as Map<unknown, unknown>)];
  return Buffer.concat([head(5, entries.length), ...entries.flat().map(cbor)]);
}

function head(major: number, length: number): Buffer {
  if (length < 24) return Buffer.from([(major << 5) | length]);
  if (length < 256) return Buffer.from([(major << 5) | 24, length]);
  return Buffer.from([(major << 5) | 25, length >> 8, length & 255]);
}
