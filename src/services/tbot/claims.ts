import { resolve } from "node:path";
import type { BotConfiguration, NamedServiceConfiguration } from "./configuration.ts";
import type { DestinationConfiguration } from "./fields.ts";
import { BOT_IDENTITY } from "./names.ts";

/** What only one service at a time may have: its name, its listener, its destination. */
export interface Claim {
  /** The field that makes it. */
  readonly field: string;
  /** As a refusal quotes it: `listen "tcp://127.0.0.1:80"`. */
  readonly what: string;
}

export function claimsOf(service: NamedServiceConfiguration): Claim[] {
  return [{ field: "name", what: nameClaim(service.name) }, ...placesOf(service)];
}

/** Those that are there before the service has its name. */
export function placesOf(service: object): Claim[] {
  const claims: Claim[] = [];
  if ("listen" in service && typeof service.listen === "string" && !service.listen.endsWith(":0"))
    claims.push({ field: "listen", what: `listen "${service.listen}"` });
  if ("path" in service && typeof service.path === "string")
    claims.push({ field: "path", what: `listen "unix://${service.path}"` });
  if ("destination" in service) {
    const destination = service.destination as DestinationConfiguration;
    if (destination.type === "directory")
      claims.push({ field: "destination", what: directoryClaim(destination) });
  }
  return claims;
}

/** What the bot itself has, and the words for it. */
export function ownClaims({ storage, diag_addr }: BotConfiguration): Map<string, string> {
  const owners = new Map([[nameClaim(BOT_IDENTITY), "the bot's own identity"]]);
  if (storage?.type === "directory") owners.set(directoryClaim(storage), "storage");
  if (diag_addr !== undefined) owners.set(`listen "tcp://${diag_addr}"`, "diag_addr");
  return owners;
}

export const nameClaim = (name: string): string => `name "${name}"`;

const directoryClaim = ({ path }: Extract<DestinationConfiguration, { type: "directory" }>) =>
  `directory "${resolve(path)}"`;
