import { fork, spawn, type ChildProcess } from "node:child_process";
import { once } from "node:events";
import { mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { connect, createServer, type AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { hasCommand } from "#testing/needs";
import { TestAuthority } from "#testing/tls";
import type { ProcessConfiguration } from "./tunnel-process.ts";

/** Three processes that lead from a local port to the application over two TLS hops. */
export interface Chain extends AsyncDisposable {
  readonly name: string;
  /** Where programs connect. */
  readonly port: number;
  /** The same with the delay between bot and proxy. */
  readonly farPort: number;
  /** Resident memory of bot, proxy and agent together, bytes. */
  memory(): Promise<number>;
}

export interface ChainOptions {
  readonly app: number;
  /** Added to each round trip between bot and proxy on `farPort`. */
  readonly roundTripMs: number;
}

const SERVER_NAME = "proxy.bench.tenon.internal";
const authority = new TestAuthority();
const server = authority.issue("serverAuth", { name: SERVER_NAME });
const client = authority.issue("clientAuth");

class Processes implements AsyncDisposable {
  readonly #children: ChildProcess[] = [];

  async start(
    role: ProcessConfiguration["role"],
    rest: Partial<ProcessConfiguration>,
  ): Promise<{ port: number; memory: () => Promise<number> }> {
    const child = fork(new URL("tunnel-process.ts", import.meta.url), [], {
      execArgv: ["--expose-gc"],
      serialization: "advanced",
    });
    this.#children.push(child);
    const identity = role === "proxy" ? server : client;
    const configuration = { next: 0, app: 0, delayMs: 0, serverName: SERVER_NAME, ...rest };
    child.send({ role, ...identity, ca: authority.ca, ...configuration });
    child.once("exit", (code) => child.emit("error", new Error(`${role} exited with ${code}`)));
    const [{ port }] = (await once(child, "message")) as [{ port: number }];
    const memory = async (): Promise<number> => {
      child.send("memory");
      const [{ rss }] = (await once(child, "message")) as [{ rss: number }];
      return rss;
    };
    return { port, memory };
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await Promise.all(
      this.#children.map(async (child) => {
        child.removeAllListeners("exit");
        if (child.connected) child.disconnect();
        if (child.exitCode === null) await once(child, "exit");
      }),
    );
  }
}

/** Ours: the rooms of the product, each in its process. */
export async function ourChain({ app, roundTripMs }: ChainOptions): Promise<Chain> {
  const processes = new Processes();
  const proxy = await processes.start("proxy", {});
  const agent = await processes.start("agent", { next: proxy.port, app });
  const bot = await processes.start("bot", { next: proxy.port });
  const relay = await processes.start("relay", { next: proxy.port, delayMs: roundTripMs / 2 });
  const far = await processes.start("bot", { next: relay.port });
  return {
    name: "ours",
    port: bot.port,
    farPort: far.port,
    memory: async () => {
      const sizes = await Promise.all([bot, proxy, agent].map((process) => process.memory()));
      return sizes.reduce((sum, size) => sum + size, 0);
    },
    [Symbol.asyncDispose]: () => processes[Symbol.asyncDispose](),
  };
}

/** The same of haproxy, with client certificates on both hops; undefined when it is not installed. */
export async function haproxyChain(options: ChainOptions): Promise<Chain | undefined> {
  if (!hasCommand("haproxy")) return undefined;
  const folder = await mkdtemp(join(tmpdir(), "tenon-bench-"));
  await writeFile(join(folder, "ca.pem"), authority.ca);
  await writeFile(join(folder, "server.pem"), server.cert + server.key);
  await writeFile(join(folder, "client.pem"), client.cert + client.key);
  const processes = new Processes();
  const children: ChildProcess[] = [];
  const start = async (name: string, bind: string, to: string): Promise<number> => {
    const port = await freePort();
    const file = join(folder, `${name}.cfg`);
    await writeFile(file, haproxyConfiguration(`127.0.0.1:${port} ${bind}`, to));
    children.push(spawn("haproxy", ["-db", "-q", "-f", file], { stdio: ["ignore", 2, 2] }));
    await untilListening(port);
    return port;
  };
  const near = `ssl crt ${folder}/server.pem ca-file ${folder}/ca.pem verify required`;
  const over = `ssl crt ${folder}/client.pem ca-file ${folder}/ca.pem verify required sni str(${SERVER_NAME}) verifyhost ${SERVER_NAME}`;
  const agent = await start("agent", near, `127.0.0.1:${options.app}`);
  const proxy = await start("proxy", near, `127.0.0.1:${agent} ${over}`);
  const port = await start("bot", "", `127.0.0.1:${proxy} ${over}`);
  const relay = await processes.start("relay", { next: proxy, delayMs: options.roundTripMs / 2 });
  const farPort = await start("far", "", `127.0.0.1:${relay.port} ${over}`);
  return {
    name: "haproxy",
    port,
    farPort,
    memory: async () => {
      const sizes = await Promise.all(children.slice(0, 3).map(({ pid }) => residentBytes(pid!)));
      return sizes.reduce((sum, size) => sum + size, 0);
    },
    [Symbol.asyncDispose]: async () => {
      await Promise.all(children.map(ended));
      await processes[Symbol.asyncDispose]();
      await rm(folder, { recursive: true });
    },
  };
}

const haproxyConfiguration = (bind: string, to: string): string => `
global
  maxconn 8000
  ssl-default-bind-options ssl-min-ver TLSv1.3
  ssl-default-server-options ssl-min-ver TLSv1.3
defaults
  mode tcp
  timeout connect 30s
  timeout client 600s
  timeout server 600s
listen chain
  bind ${bind}
  server next ${to}
`;

async function ended(child: ChildProcess): Promise<void> {
  const exit = once(child, "exit");
  if (child.exitCode === null && child.kill()) await exit;
}

async function freePort(): Promise<number> {
  const probe = createServer().listen(0, "127.0.0.1");
  await once(probe, "listening");
  const { port } = probe.address() as AddressInfo;
  probe.close();
  await once(probe, "close");
  return port;
}

async function untilListening(port: number): Promise<void> {
  for (let attempt = 0; attempt < 200; attempt += 1) {
    const socket = connect(port, "127.0.0.1");
    const up = await new Promise((resolve) => {
      socket.once("connect", () => resolve(true)).once("error", () => resolve(false));
    });
    socket.destroy();
    if (up) return;
    await new Promise((resolve) => setTimeout(resolve, 20));
  }
  throw new Error(`nothing listens on port ${port}`);
}

async function residentBytes(pid: number): Promise<number> {
  const status = await readFile(`/proc/${pid}/status`, "utf8");
  return Number(/VmRSS:\s+(\d+)/.exec(status)?.[1] ?? 0) * 1024;
}
