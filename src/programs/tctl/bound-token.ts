import { boundKeyFromLine } from "#base/crypto";
import { badParameter, fileError } from "#base/kernel";
import { boundSettings, botToken } from "#domain/join";
import { recoveryModes, type RecoveryMode } from "#domain/resources";
import { readFile } from "node:fs/promises";
import * as z from "zod";

/** Flags of everything that makes or changes a token of join method bound_keypair. */
export const recoveryFlags = {
  recovery_limit: z.int().min(1).optional().meta({
    description: "how often it may join without a valid certificate, the first time counted",
  }),
  recovery_mode: z
    .enum(recoveryModes)
    .optional()
    .meta({ description: "what to ask of a machine that comes back" }),
};

/** Those of a new token. */
export const onboardingFlags = {
  ...recoveryFlags,
  public_key: z.string().min(1).optional().meta({
    placeholder: "file",
    description: "OpenSSH public key of the machine, instead of a secret (bound_keypair)",
  }),
};

export interface Onboarding {
  readonly recovery_limit?: number | undefined;
  readonly recovery_mode?: RecoveryMode | undefined;
  readonly public_key?: string | undefined;
}

/** A bot's token, which stays as long as the bot: it holds the bound key. */
export const boundToken = async (
  { bot, name }: { readonly bot: string; readonly name: string },
  options: Onboarding,
  until: string,
): Promise<object> =>
  botToken({ bot, name }, { bound_keypair: await boundKeypair(options, until) });

/** `spec.bound_keypair` of a new token; without a key the cluster makes a secret, good until then. */
export async function boundKeypair(options: Onboarding, until: string): Promise<object> {
  const { recovery_limit: limit, recovery_mode: mode, public_key: file } = options;
  const publicKey = file === undefined ? undefined : await publicKeyLine(file);
  return boundSettings({ publicKey, until, limit, mode });
}

async function publicKeyLine(file: string): Promise<string> {
  let text: string;
  try {
    text = await readFile(file, "utf8");
  } catch (error) {
    throw fileError(`cannot read the public key "${file}"`, error);
  }
  if (text.includes("PRIVATE KEY"))
    throw badParameter(`"${file}" is a private key, which must stay on its machine; give its .pub`);
  const line = text.trim();
  boundKeyFromLine(line);
  return line;
}
