import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { parseValue } from "#base/config";
import { MemoryKeyStore } from "#base/crypto";
import { silentLogger, systemClock, type Logger } from "#base/kernel";
import { Metrics, type LogRing } from "#base/observe";
import {
  JoinClient,
  MemoryJoinStorage,
  type JoinedIdentity,
  type JoinSettings,
} from "#domain/join";
import { Enrolment } from "#services/enrolment";
import {
  Bot,
  botConfiguration,
  type BotConfiguration,
  type HostFacts,
  type SpawnedMemory,
} from "#services/tbot";
import type { TestCluster } from "#testing/cluster";
import { until } from "#testing/wait";

const anyHost: HostFacts = { version: "0.0.0", hostname: "test", os: "linux", architecture: "x64" };

export interface TestBotOptions {
  readonly cluster: TestCluster;
  /** Default `robot`; made with its token when it is not there yet. */
  readonly name?: string;
  readonly roles?: readonly string[];
  /** As `tbot.yaml` would say them. */
  readonly services: readonly object[];
  readonly sockets?: readonly object[];
  readonly oneshot?: boolean;
  readonly renewalInterval?: string;
  readonly storage?: string;
  readonly diagAddr?: string;
  /** What it says of its machine, beside what every test's bot says. */
  readonly host?: Partial<HostFacts>;
  readonly spawned?: SpawnedMemory;
  readonly log?: Logger;
  readonly logs?: LogRing;
  /** By which token and how it joins, where both are there already. */
  readonly join?: Pick<JoinSettings, "method" | "token" | "idToken" | "registrationSecret">;
}

/** A bot in this process, which reaches the cluster over the wire; its storage is in memory. */
export class TestBot implements AsyncDisposable {
  readonly bot: Bot;
  readonly metrics: Metrics;
  /** For destinations and sockets; gone with the bot. */
  readonly directory: string;
  readonly #stop = new AbortController();
  readonly #enrolment: Enrolment;
  readonly ended: Promise<void>;

  private constructor(
    bot: Bot,
    directory: string,
    parts: { enrolment: Enrolment; metrics: Metrics },
  ) {
    this.bot = bot;
    this.directory = directory;
    this.#enrolment = parts.enrolment;
    this.metrics = parts.metrics;
    this.ended = bot.run(this.#stop.signal);
    this.ended.catch(() => {});
  }

  /** Makes the bot and starts it; `services` may hold `{dir}`, which becomes its directory. */
  static async start(options: TestBotOptions): Promise<TestBot> {
    const directory = await mkdtemp(join(tmpdir(), "tenon-bot-"));
    const name = options.name ?? "robot";
    const joining =
      options.join ?? (await makeBot(options.cluster, name, options.roles ?? ["all"]));
    const configuration = configure(options, directory);
    const host = { ...anyHost, ...options.host };
    const storage = new MemoryJoinStorage();
    const client = new JoinClient({
      settings: { ...joining, role: "Bot", host },
      storage,
      keys: new MemoryKeyStore(),
      clock: systemClock,
      logger: silentLogger,
    });
    const { address, caPins } = options.cluster;
    const enrolment = await Enrolment.open({
      address,
      caPins,
      join: client,
      storage,
      clock: systemClock,
    });
    const metrics = new Metrics();
    const { log = silentLogger, spawned, logs } = options;
    const parts = { clock: systemClock, random: Math.random, log, metrics };
    const memory = {
      ...(spawned === undefined ? {} : { spawned }),
      ...(logs === undefined ? {} : { logs }),
    };
    const bot = new Bot({ ...parts, ...memory, configuration, enrolment, host });
    return new TestBot(bot, directory, {
      enrolment,
      metrics,
    });
  }

  /** Its own, as it stands now. */
  get identity(): JoinedIdentity | undefined {
    return this.#enrolment.current;
  }

  async healthy(service: string): Promise<void> {
    await until(`${service} is healthy`, () => this.state(service) === "healthy");
  }

  state(service: string): string | undefined {
    return this.#status(service)?.state;
  }

  reason(service: string): string | undefined {
    return this.#status(service)?.reason;
  }

  #status(service: string) {
    return this.bot.readiness.all().find((status) => status.name === service);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#stop.abort();
    await this.ended.catch(() => {});
    this.#enrolment[Symbol.dispose]();
    await rm(this.directory, { recursive: true, force: true });
  }
}

function configure(options: TestBotOptions, directory: string): BotConfiguration {
  const text = JSON.stringify({
    oneshot: options.oneshot ?? false,
    renewal_interval: options.renewalInterval ?? "20m",
    storage: options.storage,
    diag_addr: options.diagAddr,
    services: options.services,
    sockets: options.sockets,
  });
  const value: unknown = JSON.parse(text.replaceAll("{dir}", directory));
  return parseValue({ value, what: "the test's bot", schema: botConfiguration });
}

/** A bot and its token, with the secret of its registration. */
async function makeBot(
  { admin }: TestCluster,
  name: string,
  roles: readonly string[],
): Promise<Pick<JoinSettings, "method" | "token" | "registrationSecret">> {
  const bot = { kind: "bot", version: "v1", metadata: { name }, spec: { roles } };
  const token = {
    kind: "token",
    version: "v2",
    metadata: { name },
    spec: {
      roles: ["Bot"],
      bot_name: name,
      join_method: "bound_keypair",
      bound_keypair: { recovery: { limit: 10 } },
    },
  };
  const documents = [bot, token].map((document) => ({ json: JSON.stringify(document) }));
  const made = await admin.resources.create({ documents });
  const { status } = JSON.parse(made.documents[1]!.json) as {
    status: { bound_keypair: { registration_secret: string } };
  };
  const { registration_secret: registrationSecret } = status.bound_keypair;
  return { method: "bound_keypair", token: name, registrationSecret };
}
