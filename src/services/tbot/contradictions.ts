import { didYouMean, durationMs } from "#base/config";
import { messageOf } from "#base/kernel";
import { parseJoinUri } from "#domain/join";
import { boundKeyFaults, knowsIdTokens, parseAddress } from "#services/enrolment";
import { claimsOf, ownClaims } from "./claims.ts";
import type { BotConfiguration } from "./configuration.ts";
import { canonicalType, nameServices, typeNames } from "./names.ts";
import { serviceTypes } from "./services/index.ts";

/** Something wrong with a configuration that no single field can see. */
export interface Contradiction {
  readonly path: readonly (string | number)[];
  readonly message: string;
}

/** Spec section 1: outputs live at most a day, and the bot's own identity a week. */
const MAX_OUTPUT_TTL_MS = 24 * 3_600_000;
const MAX_IDENTITY_TTL_MS = 168 * 3_600_000;

/** Those of services that join a running bot; whose paths begin at the list. */
export const serviceContradictions = (configuration: BotConfiguration): Contradiction[] =>
  ofServices(configuration).map(({ path, message }) => ({ path: path.slice(1), message }));

const ofServices = (configuration: BotConfiguration): Contradiction[] => [
  ...outputLifetimes(configuration),
  ...endless(configuration),
  ...unknownTypes(configuration),
];

/**
 * Every one of them; a configuration that is merely incomplete has none. Services after the first
 * `listed` were written under `sockets`.
 */
export function contradictions(
  configuration: BotConfiguration,
  listed = configuration.services.length,
): Contradiction[] {
  return [
    ...joining(configuration),
    ...lifetimes(configuration),
    ...collisions(configuration),
    ...ofServices(configuration),
  ].map(({ path, message }) => ({ path: asWritten(path, listed), message }));
}

function asWritten(path: Contradiction["path"], listed: number): Contradiction["path"] {
  const [list, index, ...field] = path;
  if (list !== "services" || typeof index !== "number" || index < listed) return path;
  return ["sockets", index - listed, ...(field[0] === "type" ? [] : field)];
}

function joining(configuration: BotConfiguration): Contradiction[] {
  const { join_uri, onboarding } = configuration;
  const given = addressFields.filter((field) => configuration[field] !== undefined);
  const found: Contradiction[] = given.slice(1).map((field) => ({
    path: [field],
    message: `is a second address, beside ${given[0]}: give only one of ${addressFields.join(", ")}`,
  }));
  if (join_uri !== undefined && onboarding.token !== undefined)
    found.push({ path: ["onboarding", "token"], message: "is given twice: join_uri names it too" });
  if (
    onboarding.registration_secret !== undefined &&
    onboarding.registration_secret_path !== undefined
  )
    found.push({
      path: ["onboarding", "registration_secret_path"],
      message: "stands beside registration_secret: give one of them",
    });
  const boundKey = boundKeyFaults(onboarding.bound_keypair).map(({ path, message }) => ({
    path: ["onboarding", "bound_keypair", ...path],
    message,
  }));
  return [...found, ...boundKey, ...idTokens(configuration), ...unreadable(configuration)];
}

function idTokens({ onboarding, join_uri }: BotConfiguration): Contradiction[] {
  const { token_path, token_env } = onboarding.oidc;
  if (token_path !== undefined && token_env !== undefined)
    return [
      {
        path: ["onboarding", "oidc", "token_env"],
        message: "stands beside token_path: give one of them",
      },
    ];
  const given = token_path ?? token_env;
  const method = onboarding.join_method;
  if (given === undefined || join_uri !== undefined || knowsIdTokens(method)) return [];
  return [
    {
      path: ["onboarding", "oidc"],
      message: `is not for join_method ${method}, which needs no ID token`,
    },
  ];
}

const addressFields = ["proxy_server", "auth_server", "join_uri"] as const;

/** What has a form of its own, checked by whoever reads it later. */
function unreadable(configuration: BotConfiguration): Contradiction[] {
  const readers = [
    ["proxy_server", (text: string) => parseAddress(text, 1)],
    ["auth_server", (text: string) => parseAddress(text, 1)],
    ["join_uri", parseJoinUri],
    ["diag_addr", (text: string) => parseAddress(text, 0)],
  ] as const;
  return readers.flatMap(([field, read]) => {
    try {
      if (configuration[field] !== undefined) read(configuration[field]);
      return [];
    } catch (error) {
      return [{ path: [field], message: `cannot be used: ${messageOf(error)}` }];
    }
  });
}

function lifetimes(configuration: BotConfiguration): Contradiction[] {
  const { credential_ttl, identity_ttl, renewal_interval: interval } = configuration;
  return [
    ...lifetime({
      ...(identity_ttl === undefined
        ? { field: "credential_ttl", ttl: credential_ttl }
        : { field: "identity_ttl", ttl: identity_ttl }),
      interval,
      path: [],
      maxMs: MAX_IDENTITY_TTL_MS,
    }),
  ];
}

function outputLifetimes({
  services,
  credential_ttl,
  renewal_interval,
}: BotConfiguration): Contradiction[] {
  return services.flatMap((service, index) => {
    if (!("credential_ttl" in serviceTypes[service.type].schema.shape)) return [];
    const ownTtl = "credential_ttl" in service ? service.credential_ttl : undefined;
    const ownInterval = "renewal_interval" in service ? service.renewal_interval : undefined;
    return lifetime({
      field: "credential_ttl",
      ttl: ownTtl ?? credential_ttl,
      interval: ownInterval ?? renewal_interval,
      path: ["services", index],
      maxMs: MAX_OUTPUT_TTL_MS,
    }).filter(({ path }) => ownTtl ?? ownInterval ?? path.at(-1) === "credential_ttl");
  });
}

function lifetime(about: {
  field: string;
  ttl: string;
  interval: string;
  path: readonly (string | number)[];
  maxMs: number;
}): Contradiction[] {
  const { field, ttl, interval, path, maxMs } = about;
  const found: Contradiction[] = [];
  if (durationMs(interval) >= durationMs(ttl))
    found.push({
      path: [...path, "renewal_interval"],
      message: `is ${interval}, not shorter than ${field}, which is ${ttl}: credentials would expire before they are renewed`,
    });
  if (durationMs(ttl) > maxMs)
    found.push({
      path: [...path, field],
      message: `is ${ttl}, longer than the ${maxMs / 3_600_000}h that are allowed`,
    });
  return found;
}

/** Two that would write to, listen at, or be called the same. */
function collisions(configuration: BotConfiguration): Contradiction[] {
  const owners = ownClaims(configuration);
  return nameServices(configuration.services).flatMap((service, index) =>
    claimsOf(service).flatMap(({ field, what }) => {
      const owner = owners.get(what);
      owners.set(what, `service "${service.name}"`);
      if (owner === undefined) return [];
      const message = `is the same ${what} that ${owner} has`;
      return [{ path: ["services", index, field], message }];
    }),
  );
}

function endless({ oneshot, services }: BotConfiguration): Contradiction[] {
  if (!oneshot) return [];
  return services.flatMap(({ type }, index) => {
    if (!("endless" in serviceTypes[type])) return [];
    const message = `is "${type}", whose work is never done; a one-shot bot cannot have it`;
    return [{ path: ["services", index, "type"], message }];
  });
}

/** A schema that is itself in the list of types cannot name them. */
function unknownTypes({ services }: BotConfiguration): Contradiction[] {
  return services.flatMap((service, index) => {
    if (!("allowed_types" in service)) return [];
    return service.allowed_types
      .filter((type) => canonicalType(type) === undefined)
      .map((type) => ({
        path: ["services", index, "allowed_types"],
        message: `names "${type}", which is no type of service${didYouMean(type, typeNames)}`,
      }));
  });
}
