import { systemClock } from "#base/kernel";
import { KeptIdentity, type CredentialSource, type IdentityRequest } from "#services/bot-client";

/** An identity that renews itself until it is disposed, whether the bot is in this process or not. */
export const keepIdentity = async (
  source: CredentialSource,
  request: IdentityRequest = {},
): Promise<KeptIdentity> =>
  await KeptIdentity.open({ source, request, clock: systemClock, random: Math.random });
