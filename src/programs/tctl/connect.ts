import { UsageError, type CommandIo } from "#base/cli";
import { privateKeyPem, parseX509, x509Pem } from "#base/crypto";
import { CodedError, fileError, messageOf, systemClock, unauthenticated } from "#base/kernel";
import { RpcChannel } from "#base/rpc";
import { AuthService } from "@tenon/api/tenon/auth/v1/auth";
import { ResourceService } from "@tenon/api/tenon/resource/v1/resource";
import { readFile } from "node:fs/promises";
import { join } from "node:path";
import type { ConnectionOptions } from "./connection-options.ts";

const DEFAULT_PROXY_PORT = 3080;

/** The services that an administrator calls, over one connection. */
export class Cluster implements Disposable {
  readonly #channel: RpcChannel;
  readonly auth;
  readonly resources;

  constructor(channel: RpcChannel) {
    this.#channel = channel;
    this.auth = channel.client(AuthService);
    this.resources = channel.client(ResourceService);
  }

  [Symbol.dispose](): void {
    this.#channel.close();
  }
}

/** Connects, acts and closes; an interruption ends what is under way. */
export async function withCluster(
  given: ConnectionOptions,
  io: CommandIo,
  act: (cluster: Cluster) => Promise<void>,
): Promise<void> {
  const options = withEnvironment(given, io);
  using cluster = new Cluster(await openChannel(options, io));
  io.signal.addEventListener("abort", () => cluster[Symbol.dispose](), { once: true });
  try {
    await act(cluster);
  } catch (error) {
    throw !options.identity && messageOf(error).startsWith("cannot reach")
      ? withHint(error)
      : error;
  }
}

/** A flag goes over its variable, and over that of the other way to connect. */
const withEnvironment = (given: ConnectionOptions, { env }: CommandIo): ConnectionOptions => ({
  ...set("dataDir", given.dataDir ?? (given.identity ? undefined : env["TENON_DATA_DIR"])),
  ...set("identity", given.identity ?? (given.dataDir ? undefined : env["TENON_IDENTITY"])),
  ...set("proxyServer", given.proxyServer ?? env["TENON_PROXY_SERVER"]),
});

const set = (name: keyof ConnectionOptions, value: string | undefined): ConnectionOptions =>
  value ? { [name]: value } : {};

async function openChannel(options: ConnectionOptions, io: CommandIo): Promise<RpcChannel> {
  if (options.identity && options.dataDir)
    throw new UsageError("--identity and --data-dir are two ways to connect; give one of them");
  if (options.identity) return await openRemote(options.identity, options.proxyServer);
  if (options.proxyServer)
    throw new UsageError("--proxy-server needs --identity FILE, which says who you are there");
  const unix = join(options.dataDir ?? defaultDataDir(io), "admin.sock");
  return new RpcChannel({ target: { unix }, clock: systemClock });
}

function defaultDataDir({ env }: CommandIo): string {
  if (process.getuid?.() === 0) return "/var/lib/tenon";
  const state = env["XDG_STATE_HOME"] || join(env["HOME"] || "/", ".local", "state");
  return join(state, "tenon");
}

async function openRemote(file: string, proxy: string | undefined): Promise<RpcChannel> {
  if (!proxy)
    throw new UsageError("--identity needs --proxy-server HOST:PORT, where the cluster is");
  const [{ decodeIdentityFile, HOST_SERVER_NAME }, { parseAddress }] = await Promise.all([
    import("#domain/authority"),
    import("#services/enrolment"),
  ]);
  const { privateKey, tlsCertificate, trust } = decodeIdentityFile(await readText(file));
  checkValidity(file, tlsCertificate);
  return new RpcChannel({
    target: parseAddress(proxy, DEFAULT_PROXY_PORT),
    tls: {
      ca: trust.hostX509.map((der) => x509Pem(der)),
      cert: x509Pem(tlsCertificate),
      key: privateKeyPem(privateKey),
      serverName: HOST_SERVER_NAME(trust.clusterName),
    },
    clock: systemClock,
  });
}

async function readText(file: string): Promise<string> {
  try {
    return await readFile(file, "utf8");
  } catch (error) {
    throw fileError(`cannot read the identity "${file}"`, error);
  }
}

/** The server would only say that the handshake failed. */
function checkValidity(file: string, certificate: Buffer): void {
  const { notAfter } = parseX509(certificate);
  if (notAfter > systemClock.now()) return;
  const time = new Date(notAfter).toISOString();
  throw unauthenticated(
    `the identity in "${file}" ended at ${time}; does the bot that writes it run?`,
  );
}

/** Instead of the general advice: what a local administrator can do. */
function withHint(error: unknown): CodedError {
  const [problem] = messageOf(error).split("; ");
  const advice = 'is the cluster running? start it with "tenon start", or name its --data-dir';
  return new CodedError("unavailable", `${problem}; ${advice}`, { cause: error });
}
