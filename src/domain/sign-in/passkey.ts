import type {
  AuthenticationResponseJSON,
  PublicKeyCredentialCreationOptionsJSON,
  PublicKeyCredentialRequestOptionsJSON,
  RegistrationResponseJSON,
} from "@simplewebauthn/server";
import { messageOf, unauthenticated } from "#base/kernel";
import * as z from "zod";

/** A WebAuthn credential (W3C, level 3): its public half. */
export const storedPasskey = z.strictObject({
  /** Base64url. */
  id: z.string(),
  /** COSE key, base64url. */
  public_key: z.string(),
  /** Of signatures; authenticators that keep none say 0 for ever. */
  counter: z.int(),
  transports: z.array(z.string()).default([]),
  /** For its owner to tell it from others. */
  name: z.string().default(""),
  /** RFC 3339. */
  created: z.string(),
  used: z.string().optional(),
});
export type StoredPasskey = z.infer<typeof storedPasskey>;

const MAX_NAME = 64;

/** Where the page is: what a passkey is bound to. */
export interface RelyingParty {
  readonly clusterName: string;
  /** `https://host[:port]`. */
  readonly origin: string;
}

/** Loaded when somebody comes with a passkey: a cluster without people does not pay for it. */
const library = () => import("@simplewebauthn/server");

const idOf = ({ origin }: RelyingParty): string => new URL(origin).hostname;

export async function registrationOptions(
  party: RelyingParty,
  about: { user: string; handle: Uint8Array<ArrayBuffer>; known: readonly StoredPasskey[] },
): Promise<PublicKeyCredentialCreationOptionsJSON> {
  const { generateRegistrationOptions } = await library();
  return await generateRegistrationOptions({
    rpName: party.clusterName,
    rpID: idOf(party),
    userName: about.user,
    userID: about.handle,
    attestationType: "none",
    excludeCredentials: about.known.map(described),
    authenticatorSelection: { residentKey: "required", userVerification: "required" },
  });
}

/** `unauthenticated` when the answer is not to this challenge, from this page, with a verified person. */
export async function registered(
  party: RelyingParty,
  about: { response: unknown; challenge: string; name: string; now: number },
): Promise<StoredPasskey> {
  const { verifyRegistrationResponse } = await library();
  const { registrationInfo } = await refusing("the passkey was not accepted", () =>
    verifyRegistrationResponse({
      response: about.response as RegistrationResponseJSON,
      expectedChallenge: about.challenge,
      expectedOrigin: party.origin,
      expectedRPID: idOf(party),
      requireUserVerification: true,
    }),
  );
  const { id, publicKey, counter, transports = [] } = registrationInfo!.credential;
  return {
    id,
    public_key: Buffer.from(publicKey).toString("base64url"),
    counter,
    transports,
    name: about.name.slice(0, MAX_NAME),
    created: new Date(about.now).toISOString(),
  };
}

/** With `known` for a person who is known already; without, any passkey for this page will do. */
export async function authenticationOptions(
  party: RelyingParty,
  known: readonly StoredPasskey[] = [],
): Promise<PublicKeyCredentialRequestOptionsJSON> {
  const { generateAuthenticationOptions } = await library();
  return await generateAuthenticationOptions({
    rpID: idOf(party),
    userVerification: "required",
    allowCredentials: known.map(described),
  });
}

/** The passkey with its new counter. `unauthenticated` when it did not solve this challenge. */
export async function authenticated(
  party: RelyingParty,
  about: { response: unknown; challenge: string; passkey: StoredPasskey; now: number },
): Promise<StoredPasskey> {
  const { passkey } = about;
  const { verifyAuthenticationResponse } = await library();
  const { authenticationInfo } = await refusing("the passkey was not accepted", () =>
    verifyAuthenticationResponse({
      response: about.response as AuthenticationResponseJSON,
      expectedChallenge: about.challenge,
      expectedOrigin: party.origin,
      expectedRPID: idOf(party),
      requireUserVerification: true,
      credential: {
        id: passkey.id,
        publicKey: new Uint8Array(Buffer.from(passkey.public_key, "base64url")),
        counter: passkey.counter,
        transports: passkey.transports,
      },
    }),
  );
  const used = new Date(about.now).toISOString();
  return { ...passkey, counter: authenticationInfo.newCounter, used };
}

async function refusing<R extends { verified: boolean }>(
  message: string,
  verify: () => Promise<R>,
): Promise<R> {
  try {
    const result = await verify();
    if (result.verified) return result;
  } catch (error) {
    throw unauthenticated(message, { detail: messageOf(error), cause: error });
  }
  throw unauthenticated(message, { detail: "the signature does not hold" });
}

const described = ({ id, transports }: StoredPasskey) => ({ id, transports });
