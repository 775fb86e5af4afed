import { rmSync } from "node:fs";
import { mkdir, mkdtemp, readdir, readFile, rm, writeFile } from "node:fs/promises";
import { request } from "node:https";
import { createServer } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { CommandIo } from "#base/cli";
import { yamlOf } from "#base/config";
import { alreadyExists, canceled, unavailable } from "#base/kernel";
import { Children, output } from "./children.ts";
import { Steps } from "./steps.ts";
import { whatToTry } from "./what-to-try.ts";

const TENON = "src/programs/tenon/main.ts";
const TBOT = "src/programs/tbot/main.ts";
const TCTL = "src/programs/tctl/main.ts";
const PREFERRED_PORT = 3080;
const CLUSTER = "tenon.localhost";
const BOT = "robot";

/** Where everything of one quickstart is. */
export interface Scene {
  readonly directory: string;
  readonly dataDir: string;
  readonly outDir: string;
  readonly proxyPort: number;
  readonly tunnelPort: number;
  readonly diagPort: number;
}

/** The main job, on real processes: each step is what a person would type. */
export async function runQuickstart(
  options: { once: boolean; port?: number },
  io: CommandIo,
): Promise<void> {
  const directory = await mkdtemp(join(tmpdir(), "tenon-quickstart-"));
  try {
    const scene = await setScene(directory, options.port);
    const children = new Children(directory);
    using _forced = onForcedExit(() => {
      children.kill();
      rmSync(directory, { recursive: true, force: true });
    });
    await using _children = children;
    const actors = { children, steps: new Steps(io, children), signal: io.signal };
    io.stdout.write(`Tenon quickstart in ${directory}\n\n`);
    await act(scene, actors);
    io.stdout.write(`\nDone in ${(actors.steps.elapsedMs / 1000).toFixed(1)} s.\n`);
    if (options.once) return;
    io.stdout.write(whatToTry(scene, await signInLink(children)));
    await ended(io.signal);
    io.stdout.write("\nStopping …\n");
  } finally {
    await rm(directory, { recursive: true, force: true });
  }
}

async function act(scene: Scene, actors: Actors): Promise<void> {
  try {
    await startCluster(scene, actors);
    await startApplication(scene, actors);
    await startBot(scene, actors);
    await sendRequest(scene, actors.steps);
  } catch (error) {
    throw actors.signal.aborted ? canceled("stopped before everything was up") : error;
  }
}

/** A second Ctrl-C ends this process in the middle of whatever it does. */
function onForcedExit(clean: () => void): Disposable {
  process.on("exit", clean);
  return { [Symbol.dispose]: () => void process.off("exit", clean) };
}

async function setScene(directory: string, port: number | undefined): Promise<Scene> {
  const [dataDir, outDir] = [join(directory, "data"), join(directory, "out")];
  await mkdir(outDir);
  return {
    directory,
    dataDir,
    outDir,
    proxyPort: port === undefined ? await freePort(PREFERRED_PORT) : await portItself(port),
    tunnelPort: await freePort(0),
    diagPort: await freePort(0),
  };
}

interface Actors {
  readonly children: Children;
  readonly steps: Steps;
  readonly signal: AbortSignal;
}

async function startCluster(
  { directory, dataDir, proxyPort }: Scene,
  { children, steps }: Actors,
): Promise<void> {
  const file = join(directory, "tenon.yaml");
  const configuration = {
    version: "v1",
    cluster_name: CLUSTER,
    data_dir: dataDir,
    // A name, because browsers make passkeys for no address.
    proxy_service: { listen_addr: `127.0.0.1:${proxyPort}`, public_addr: `localhost:${proxyPort}` },
  };
  await writeFile(file, yamlOf(configuration));
  const start = async (): Promise<void> => {
    children.start("cluster", TENON, ["start", "-c", file]);
    await steps.until("the cluster answers", async () => await ping(proxyPort));
  };
  await steps.step(
    start,
    () => `cluster "${CLUSTER}" at https://localhost:${proxyPort}, its store in ${dataDir}`,
  );
}

async function startApplication(scene: Scene, actors: Actors): Promise<void> {
  const { children, steps } = actors;
  children.start("hello", "examples/hello.ts", []);
  const uri = await steps.until("the example application listens", async () => {
    const line = /^http:\S+$/m.exec(await readFile(children.logOf("hello"), "utf8"));
    return line?.[0];
  });
  const token = await steps.step(
    async () =>
      JSON.parse(await tctl(scene, actors, "tokens", "add", "--type=app", "--format=json")) as {
        token: string;
        ca_pins: string[];
      },
    () => "join token for an application agent: tctl tokens add --type=app",
  );
  const start = async (): Promise<void> => {
    children.start("agent", TENON, [
      "app",
      "start",
      "--name=hello",
      `--uri=${uri}`,
      "--labels=env=demo",
      `--proxy-server=127.0.0.1:${scene.proxyPort}`,
      `--token=${token.token}`,
      ...token.ca_pins.map((pin) => `--ca-pin=${pin}`),
      `--data-dir=${join(scene.directory, "agent")}`,
    ]);
    await steps.until("the application is announced", async () => {
      const apps = JSON.parse(
        await tctl(scene, actors, "get", "app", "--format=json"),
      ) as unknown[];
      return apps.length > 0 || undefined;
    });
  };
  await steps.step(
    start,
    () => `application agent joined, and serves "hello" (${uri}) through a reverse tunnel`,
  );
}

async function startBot(scene: Scene, actors: Actors): Promise<void> {
  const { children, steps, signal } = actors;
  const bot = await steps.step(
    async () =>
      JSON.parse(
        await tctl(scene, actors, "bots", "add", BOT, "--roles=access", "--format=json"),
      ) as {
        join_uri: string;
      },
    () => `bot, token and join URI: tctl bots add ${BOT} --roles=access`,
  );
  const file = join(scene.directory, "tbot.yaml");
  await writeFile(file, yamlOf(botConfiguration(scene, bot.join_uri)), { mode: 0o600 });
  const start = async (): Promise<readonly string[]> => {
    children.start("bot", TBOT, ["start", "-c", file]);
    const diag = `--diag-addr=127.0.0.1:${scene.diagPort}`;
    await output(TBOT, ["wait", diag, "--timeout=30s"], signal).catch(async (error: unknown) => {
      await children.checkAlive();
      throw error;
    });
    return await readdir(join(scene.outDir, "identity"));
  };
  await steps.step(
    start,
    (files) =>
      `bot joined with a bound keypair; its identity is in ${join(scene.outDir, "identity")}: ${files.toSorted().join(", ")}`,
  );
}

function botConfiguration(
  { directory, outDir, tunnelPort, diagPort }: Scene,
  joinUri: string,
): object {
  return {
    version: "v2",
    join_uri: joinUri,
    storage: join(directory, "bot"),
    diag_addr: `127.0.0.1:${diagPort}`,
    services: [
      { type: "identity", destination: join(outDir, "identity") },
      { type: "application", app_name: "hello", destination: join(outDir, "hello") },
      { type: "application-tunnel", app_name: "hello", listen: `tcp://127.0.0.1:${tunnelPort}` },
    ],
  };
}

async function sendRequest({ tunnelPort }: Scene, steps: Steps): Promise<void> {
  const url = `http://127.0.0.1:${tunnelPort}/through/the/tunnel`;
  const ask = async (): Promise<string> => {
    const response = await fetch(url, { headers: { connection: "close" } });
    const text = (await response.text()).trim();
    if (response.status !== 200 || !text.startsWith("Hello"))
      throw unavailable(`the application answered ${response.status}: ${text}`);
    return text;
  };
  await steps.step(ask, (text) => `GET ${url} → “${text}”`);
}

/** The cluster's link for its first user; once signed in, it leads to the bot's page. */
async function signInLink(children: Children): Promise<string> {
  const log = await readFile(children.logOf("cluster"), "utf8");
  const link = new URL(/https:\S+\/web\/invitation#\S+/.exec(log)![0]);
  link.searchParams.set("next", `/web/bots/${BOT}`);
  return link.href;
}

const tctl = async (
  { dataDir }: Scene,
  { signal }: Actors,
  ...words: readonly string[]
): Promise<string> => await output(TCTL, [...words, `--data-dir=${dataDir}`], signal);

function ping(port: number): Promise<true | undefined> {
  return new Promise((resolve, reject) => {
    request(
      { host: "127.0.0.1", port, path: "/webapi/ping", rejectUnauthorized: false, agent: false },
      (response) => {
        response.resume();
        resolve(response.statusCode === 200 || undefined);
      },
    )
      .on("error", reject)
      .end();
  });
}

/** A port that somebody chose is that one or none. */
async function portItself(port: number): Promise<number> {
  if ((await freePort(port)) === port) return port;
  throw alreadyExists(`port ${port} cannot be listened on; free it, or choose another --port`);
}

/** The wanted port if nobody has it, else any other. */
function freePort(wanted: number): Promise<number> {
  return new Promise((resolve, reject) => {
    const server = createServer().listen(wanted, "127.0.0.1", () => {
      const address = server.address();
      server.close(() => resolve(typeof address === "object" && address ? address.port : wanted));
    });
    server.once("error", (error) => (wanted === 0 ? reject(error) : resolve(freePort(0))));
  });
}

function ended(signal: AbortSignal): Promise<void> {
  return new Promise((resolve) =>
    signal.aborted ? resolve() : signal.addEventListener("abort", () => resolve(), { once: true }),
  );
}
