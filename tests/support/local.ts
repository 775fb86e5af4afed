import { compareFailed, notFound, silentLogger, sleep, systemClock } from "#base/kernel";
import {
  connectLocal,
  peerOf,
  serveLocal,
  withDetail,
  type LocalServer,
  type LocalServerOptions,
  type LocalTransport,
  type Peer,
} from "#base/local";
import { create } from "@bufbuild/protobuf";
import { createClient, type Client, type ServiceImpl } from "@connectrpc/connect";
import { BotApiService, SpawnServiceResponseSchema } from "@tenon/api/tenon/tbot/v1/bot_api";
import { execFile } from "node:child_process";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { promisify } from "node:util";

const run = promisify(execFile);

type Routes = Partial<ServiceImpl<typeof BotApiService>>;

/** A local server in a directory of its own; the service is only a vehicle. */
export class LocalBench implements AsyncDisposable {
  readonly directory: string;
  readonly path: string;
  readonly server: LocalServer;
  /** Who made the calls so far. */
  readonly peers: Peer[];
  /** How the handlers of streams ended. */
  readonly ended: unknown[];
  readonly #transports: LocalTransport[] = [];

  private constructor(
    parts: Pick<LocalBench, "directory" | "path" | "server" | "peers" | "ended">,
  ) {
    this.directory = parts.directory;
    this.path = parts.path;
    this.server = parts.server;
    this.peers = parts.peers;
    this.ended = parts.ended;
  }

  static async open(
    options: Partial<LocalServerOptions> & { readonly calls?: Routes } = {},
  ): Promise<LocalBench> {
    const directory = await mkdtemp(join(tmpdir(), "tenon-local-"));
    const path = options.path ?? join(directory, "api.sock");
    const peers: Peer[] = [];
    const ended: unknown[] = [];
    const calls = { ...usual(peers, ended), ...options.calls };
    const server = await serveLocal({
      readers: [],
      acls: "try",
      log: silentLogger,
      clock: systemClock,
      ...options,
      path,
      routes: (router) => router.service(BotApiService, calls),
    });
    return new LocalBench({ directory, path, server, peers, ended });
  }

  async client(path = this.path): Promise<Client<typeof BotApiService>> {
    const transport = await connectLocal(path);
    this.#transports.push(transport);
    return createClient(BotApiService, transport);
  }

  /** What `curl` prints, then a line with the status. */
  async curl(call: string, ...options: readonly string[]): Promise<string> {
    const url = `http://bot/tenon.tbot.v1.BotApiService/${call}`;
    const status = ["-s", "-w", "\n%{http_code}"];
    const { stdout } = await run("curl", ["--unix-socket", this.path, ...status, ...options, url]);
    return stdout;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    for (const transport of this.#transports) transport[Symbol.dispose]();
    await this.server[Symbol.asyncDispose]();
    await rm(this.directory, { recursive: true });
  }
}

function usual(peers: Peer[], ended: unknown[]): Routes {
  return {
    getConfig: (_request, context) => {
      peers.push(peerOf(context));
      return { configuration: "ü" };
    },
    stopService: ({ name }) => {
      if (name === "broken") throw new TypeError("the password is swordfish");
      throw notFound(`there is no service "${name}"`);
    },
    spawnService: () => {
      const services = [{ name: "identity-1", status: "failed", reason: "no such role" }];
      throw withDetail(
        compareFailed("identity-1 failed"),
        SpawnServiceResponseSchema,
        create(SpawnServiceResponseSchema, { services }),
      );
    },
    watchServices: async function* (_request, { signal }) {
      try {
        yield { event: "current", service: { name: "one" } };
        yield { event: "current", service: { name: "two" } };
        await sleep(systemClock, 3_600_000, signal);
      } finally {
        ended.push(signal.reason);
      }
    },
    watchLogs: async function* ({ tail }) {
      for (let line = 0; line < tail; line += 1) yield { text: `line ${line}` };
      if (tail > 2) throw notFound("the log ends here");
    },
  };
}
