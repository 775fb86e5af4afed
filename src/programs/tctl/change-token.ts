import { badParameter } from "#base/kernel";
import { tokenDisplayName, type RecoveryMode, type Token } from "#domain/resources";
import { futureTime } from "./time.ts";

/** Limits go up and down at any time; the count of what was used stays the cluster's. */
export function withRecovery(
  token: Token,
  change: {
    readonly recovery_limit?: number | undefined;
    readonly recovery_mode?: RecoveryMode | undefined;
  },
): Token {
  const { recovery_limit: limit, recovery_mode: mode } = change;
  if (limit === undefined && mode === undefined) return token;
  const settings = settingsOf(token);
  const recovery = {
    ...settings.recovery,
    ...(limit === undefined ? {} : { limit }),
    ...(mode === undefined ? {} : { mode }),
  };
  return withSettings(token, { ...settings, recovery });
}

/** Times as `future` takes them. */
export function withTimes(
  token: Token,
  change: {
    readonly rotate_after?: string | undefined;
    readonly must_register_before?: string | undefined;
  },
): Token {
  const { rotate_after: rotate, must_register_before: register } = change;
  if (rotate === undefined && register === undefined) return token;
  const settings = settingsOf(token);
  const onboarding = {
    ...settings.onboarding,
    ...(register === undefined ? {} : { must_register_before: futureTime(register) }),
  };
  const rotation = rotate === undefined ? {} : { rotate_after: futureTime(rotate) };
  return withSettings(token, { ...settings, onboarding, ...rotation });
}

type Settings = NonNullable<Token["spec"]["bound_keypair"]>;

function settingsOf(token: Token): Settings {
  const { bound_keypair: settings, join_method: method } = token.spec;
  if (settings) return settings;
  throw badParameter(
    `token "${tokenDisplayName(token)}" is of join method "${method}"; recoveries, rotation and registration are of bound_keypair`,
  );
}

const withSettings = (token: Token, settings: Settings): Token => ({
  ...token,
  spec: { ...token.spec, bound_keypair: settings },
});
