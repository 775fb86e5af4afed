import { existsSync } from "node:fs";
import { resolve } from "node:path";
import { omitSecrets, withAbsolutePaths, withoutSecrets, yamlOf } from "#base/config";
import { joinUriAddress, parseJoinUri } from "#domain/join";
import { knowsIdTokens } from "#services/enrolment";
import { botConfiguration, type BotConfiguration } from "./configuration.ts";

/** The configuration for people to look at: every service named, secrets hidden. */
export function effectiveConfiguration(configuration: BotConfiguration): string {
  return yamlOf(withoutSecrets(configuration, botConfiguration), botConfiguration);
}

/**
 * The configuration as `tbot start -c` takes it, wherever it is started, with comments that say what
 * is left out. `joined`: the bot's storage holds its identity by now.
 */
export function resumableConfiguration(bot: BotConfiguration, joined: boolean): string {
  const fields = withoutPin(withoutUri(bot));
  const placed = withAbsolutePaths(fields, botConfiguration, absolute);
  const { value, omitted } = omitSecrets(placed, botConfiguration);
  const secrets = bot.join_uri === undefined ? omitted : [...omitted, ...secretOfUri(bot.join_uri)];
  const comments = [
    "The configuration of a running bot; `tbot start -c FILE` resumes its services.",
    ...(secrets.length > 0 ? [`Left out, for they are secret: ${secrets.join(", ")}.`] : []),
    ...(hasPin(bot) ? [`Set ${PIN_VARIABLE} to the PIN of the PKCS#11 token.`] : []),
    ...advice(bot, { joined, secrets: secrets.length > 0 }),
  ];
  const lines = comments.map((line) => `# ${line}\n`).join("");
  return `${lines}version: ${bot.version}\n${yamlOf(value, botConfiguration)}`;
}

function advice(
  { storage }: BotConfiguration,
  { joined, secrets }: { joined: boolean; secrets: boolean },
): string[] {
  if (!secrets) return [];
  if (joined && storage?.type !== "memory")
    return ["They are not needed again: the bot's storage holds its identity."];
  return ["Give them again at the next start: `tbot start --help` names the flags and variables."];
}

/** The one secret without which the bot cannot come back has a place outside of the file. */
const PIN_VARIABLE = "TBOT_PKCS11_PIN";

const hasPin = ({ onboarding }: BotConfiguration): boolean =>
  onboarding.bound_keypair.pkcs11?.pin !== undefined;

function withoutPin(bot: BotConfiguration): BotConfiguration {
  const { pkcs11, ...boundKey } = bot.onboarding.bound_keypair;
  if (pkcs11?.pin === undefined) return bot;
  const { pin: _, ...token } = pkcs11;
  const bound_keypair = { ...boundKey, pkcs11: { ...token, pin_env: PIN_VARIABLE } };
  return { ...bot, onboarding: { ...bot.onboarding, bound_keypair } };
}

/** What a join URI says, as fields of its own; its secret goes. */
function withoutUri({ join_uri, ...bot }: BotConfiguration): BotConfiguration {
  if (join_uri === undefined) return bot;
  const uri = parseJoinUri(join_uri);
  const address = joinUriAddress(uri);
  const { onboarding } = bot;
  return {
    ...bot,
    ...(uri.via === "proxy" ? { proxy_server: address } : { auth_server: address }),
    onboarding: {
      ...onboarding,
      token: uri.token,
      join_method: uri.method,
      ca_pins: [...new Set([...uri.caPins, ...onboarding.ca_pins])],
      ...placeOfUri(bot, uri),
    },
  };
}

type Uri = ReturnType<typeof parseJoinUri>;

/** The parameter of a join URI where it only says where something is. */
function placeOfUri({ onboarding }: BotConfiguration, { method, parameter }: Uri): object {
  if (parameter === undefined) return {};
  if (knowsIdTokens(method)) {
    const place = parameter.includes("/") ? { token_path: parameter } : { token_env: parameter };
    return { oidc: place };
  }
  if (!isKeyFile(parameter)) return {};
  return { bound_keypair: { static_key_path: parameter, ...onboarding.bound_keypair } };
}

function secretOfUri(text: string): string[] {
  const { method, parameter } = parseJoinUri(text);
  if (parameter === undefined || knowsIdTokens(method) || isKeyFile(parameter)) return [];
  return ["onboarding.registration_secret"];
}

const isKeyFile = (parameter: string): boolean =>
  /^\.{0,2}\//.test(parameter) && existsSync(parameter);

/** An address may stand where a path may. */
const absolute = (path: string): string => (/^[a-z]+:/.test(path) ? path : resolve(path));
