import { durationMs } from "#base/config";
import { fileError } from "#base/kernel";
import type { LogFormat, LogLevel } from "#base/observe";
import type { AgentApp } from "#services/agent";
import { readFile } from "node:fs/promises";
import { join } from "node:path";
import type { AppEntry, Configuration } from "./configuration.ts";
import { defaultDataDir, type Surroundings } from "./paths.ts";
import { remoteCluster, type RemoteCluster } from "./remote.ts";

/** Where a listener binds; the port 0 is any free one. */
export interface ListenAddress {
  readonly host: string;
  readonly port: number;
}

/** A configuration made complete: what the composition root builds from. */
export interface Settings {
  readonly dataDir: string;
  readonly log: { readonly level: LogLevel; readonly format: LogFormat };
  /** Set when this process is the cluster. */
  readonly cluster: ClusterSettings | undefined;
  /** Set when this process serves applications. */
  readonly agent: AgentSettings | undefined;
  readonly diagnostics: ListenAddress | undefined;
}

export interface ClusterSettings {
  /** As configured; a cluster that has a name keeps it when none is given. */
  readonly name: string | undefined;
  readonly listen: ListenAddress;
  /** `host` or `host:port`. */
  readonly publicAddr: string | undefined;
  readonly keyPairs: readonly { readonly cert: string; readonly key: string }[];
}

export interface AgentSettings {
  readonly apps: readonly AgentApp[];
  /** Absent when the cluster is this very process. */
  readonly remote: RemoteCluster | undefined;
}

/** Fills in what depends on the machine, and reads the files that the configuration names. */
export async function settingsOf(
  configuration: Configuration,
  surroundings: Surroundings,
): Promise<Settings> {
  const { data_dir: dataDir, diag_addr: diagnostics, app_service: app, log } = configuration;
  return {
    dataDir: dataDir ?? defaultDataDir(surroundings),
    log,
    cluster: configuration.auth_service.enabled ? clusterSettings(configuration) : undefined,
    agent: app?.enabled
      ? {
          apps: await Promise.all(app.apps.map(agentApp)),
          remote: await remoteCluster(configuration, surroundings),
        }
      : undefined,
    diagnostics: diagnostics === undefined ? undefined : listenAddress(diagnostics),
  };
}

function clusterSettings({
  cluster_name: name,
  proxy_service: proxy,
}: Configuration): ClusterSettings {
  return {
    name,
    listen: listenAddress(proxy.listen_addr),
    publicAddr: proxy.public_addr,
    keyPairs: proxy.https_keypairs.map(({ cert_file, key_file }) => ({
      cert: cert_file,
      key: key_file,
    })),
  };
}

/** What the flags of `tenon app start` say, in the words of `tenon.yaml`. */
export type AppStart = AppEntry &
  Pick<Configuration, "join_uri" | "join_params" | "ca_pin" | "data_dir" | "diag_addr" | "log"> & {
    readonly proxy_server?: string | undefined;
  };

export async function agentSettingsOf(
  given: AppStart,
  surroundings: Surroundings,
): Promise<Settings> {
  return {
    dataDir: given.data_dir ?? join(defaultDataDir(surroundings), `app-${given.name}`),
    log: given.log,
    cluster: undefined,
    agent: { apps: [await agentApp(given)], remote: await remoteCluster(given, surroundings) },
    diagnostics: given.diag_addr === undefined ? undefined : listenAddress(given.diag_addr),
  };
}

export async function agentApp(entry: AppEntry): Promise<AgentApp> {
  return {
    name: entry.name,
    uri: entry.uri,
    description: entry.description,
    labels: entry.labels,
    publicAddr: entry.public_addr,
    ca: entry.ca_file === undefined ? undefined : await read(entry.ca_file),
    insecureSkipVerify: entry.insecure_skip_verify,
    preserveHost: entry.preserve_host,
    responseTimeoutMs: durationMs(entry.response_timeout),
  };
}

async function read(file: string): Promise<string> {
  try {
    return await readFile(file, "utf8");
  } catch (error) {
    throw fileError(`cannot read "${file}"`, error);
  }
}

/** Of an address that the schema accepted; without a host, every address of the machine. */
function listenAddress(text: string): ListenAddress {
  const colon = text.lastIndexOf(":");
  const host = text.slice(0, colon).replace(/^\[|\]$/g, "");
  return { host: host || "::", port: Number(text.slice(colon + 1)) };
}
