import { dirname, resolve } from "node:path";
import { withAbsolutePaths } from "#base/config";
import { botConfiguration, completeService, type BotConfiguration } from "#services/tbot";

/** What a bot's configuration needs of the system around it. Paths are absolute. */
export interface Demands {
  /** Directories that it writes to. */
  readonly written: readonly string[];
  /** Directories in which it makes Unix sockets. */
  readonly sockets: readonly string[];
  /** Files that it only reads. */
  readonly read: readonly string[];
  /** Whether it listens on a port that is root's to give. */
  readonly lowPort: boolean;
  /** Whether it deals with other users of the machine: readers of files, callers of sockets. */
  readonly others: boolean;
  /** A key in a TPM or a token needs its device. */
  readonly devices: boolean;
  /** Whether it takes orders for services that nobody knows yet. */
  readonly spawns: boolean;
  readonly oneshot: boolean;
  /** Where it takes orders, if no service says where: `unix:///path`. */
  readonly apiSocket?: string;
  /** Whether some path depends on the directory in which the bot is started. */
  readonly relative: boolean;
}

interface Found {
  readonly written: string[];
  readonly sockets: string[];
  readonly ports: number[];
  others: boolean;
  spawns: boolean;
}

/** The first port that needs no privilege (ip(7), `ip_unprivileged_port_start`). */
const FIRST_FREE_PORT = 1024;

/** Read from the values themselves, so that a new type of service needs nothing here. */
export function demandsOf(
  configuration: BotConfiguration,
  where: { storage: string; apiSocket: string; cwd: string },
): Demands {
  const found: Found = { written: [], sockets: [], ports: [], others: false, spawns: false };
  const { onboarding, diag_addr, storage } = configuration;
  const services = configuration.services.map((service) => completeService(service, where));
  const unsaid = configuration.services.some(
    (service) => service.type === "bot-api" && service.listen === undefined,
  );
  if (storage === undefined) found.written.push(where.storage);
  collect([storage, services], found);
  if (diag_addr !== undefined) found.ports.push(portOf(diag_addr));
  const read = filesOf(configuration);
  const absolute = (path: string): string => resolve(where.cwd, path);
  const { written, sockets, ports, others, spawns } = found;
  return {
    written: written.map(absolute),
    sockets: sockets.map(dirname),
    read: read.map(absolute),
    lowPort: ports.some((port) => port > 0 && port < FIRST_FREE_PORT),
    others,
    spawns,
    devices: onboarding.bound_keypair.pkcs11 !== undefined,
    oneshot: configuration.oneshot,
    ...(unsaid ? { apiSocket: where.apiSocket } : {}),
    relative: [...written, ...read].some((path) => !path.startsWith("/")),
  };
}

function collect(value: unknown, found: Found): void {
  if (typeof value === "string") collectAddress(value, found);
  if (Array.isArray(value)) for (const item of value) collect(item, found);
  if (!isRecord(value)) return;
  if (value["type"] === "directory" && typeof value["path"] === "string")
    found.written.push(value["path"]);
  if (value["type"] === "bot-api") found.spawns = true;
  if (value["type"] === "credential-api") found.sockets.push(String(value["path"]));
  if (Array.isArray(value["readers"]) && value["readers"].length > 0) found.others = true;
  for (const inner of Object.values(value)) collect(inner, found);
}

function collectAddress(text: string, found: Found): void {
  if (text.startsWith("tcp://")) found.ports.push(portOf(text));
  if (!text.startsWith("unix:///")) return;
  found.sockets.push(text.slice("unix://".length));
}

/** What the bot reads when it joins: what the schema calls a path. */
function filesOf({ onboarding }: BotConfiguration): string[] {
  const files: string[] = [];
  const seen = (path: string): string => {
    files.push(path);
    return path;
  };
  withAbsolutePaths({ onboarding }, botConfiguration, seen);
  return files;
}

const portOf = (address: string): number => Number(/\d+$/.exec(address)?.[0] ?? 0);

const isRecord = (value: unknown): value is Readonly<Record<string, unknown>> =>
  typeof value === "object" && value !== null && !Array.isArray(value);
