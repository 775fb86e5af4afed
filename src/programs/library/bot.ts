import { parseTree, valueTree, yamlTrees, type Tree } from "#base/config";
import { silentLogger, systemClock, unavailable, type Logger } from "#base/kernel";
import { Metrics } from "#base/observe";
import type { Trust } from "#domain/authority";
import type { CredentialSource, GeneratedIdentity, IdentityRequest } from "#services/bot-client";
import {
  Bot as EmbeddedBot,
  botConfiguration,
  checkConfiguration,
  enrol,
  hostFacts,
  isReady,
  type BotConfiguration,
  type ServiceStatus,
} from "#services/tbot";

export interface BotSettings {
  /** `tbot+proxy+METHOD://…`; or the same in the configuration. */
  readonly joinUri?: string;
  /** What `tbot.yaml` says, as its text or as a value; services run too. */
  readonly configuration?: string | Readonly<Record<string, unknown>>;
  /** Where the bot keeps its own identity: a directory; default: in memory, to join at each start. */
  readonly storage?: string;
  /** Default: silent. */
  readonly logger?: Logger;
}

const MEMORY = { type: "memory" } as const;

/** A bot within this process: joins, renews itself, and gives credentials, until it is closed. */
export class Bot implements CredentialSource, AsyncDisposable {
  readonly logger: Logger;
  readonly #bot: EmbeddedBot;
  readonly #source: CredentialSource;
  readonly #owned: AsyncDisposableStack;

  private constructor(bot: EmbeddedBot, source: CredentialSource, owned: AsyncDisposableStack) {
    this.logger = source.logger;
    this.#bot = bot;
    this.#source = source;
    this.#owned = owned;
  }

  /**
   * Begins to join, and returns at once; `bad_parameter` for a configuration that cannot be used.
   * What is asked of the bot waits until it has joined.
   */
  static async start(settings: BotSettings): Promise<Bot> {
    const configuration = read(settings);
    const parameters = checkConfiguration(configuration);
    const log = settings.logger ?? silentLogger;
    const shared = { configuration, clock: systemClock, log };
    await using owned = new AsyncDisposableStack();
    const enrolled = owned.use(await enrol({ ...shared, parameters, env: process.env }));
    const bot = new EmbeddedBot({
      ...shared,
      enrolment: enrolled.enrolment,
      host: hostFacts(),
      kind: "embedded",
      random: Math.random,
      metrics: new Metrics(),
    });
    const stop = new AbortController();
    const running = bot
      .run(stop.signal)
      .catch((error: unknown) => log.error("bot failed", { error }));
    owned.defer(async () => {
      stop.abort();
      await running;
    });
    return new Bot(bot, await bot.credentials(), owned.move());
  }

  /** Waits until the bot has joined and its services have begun; `unavailable` with what did not. */
  async ready({
    signal = new AbortController().signal,
  }: { signal?: AbortSignal } = {}): Promise<void> {
    const statuses = await this.#bot.readiness.settled({ signal });
    if (isReady(statuses)) return;
    const lines = statuses
      .filter((status) => !isReady([status]))
      .map(({ name, state, reason = "" }) => `${name} is ${state}${reason && `: ${reason}`}`);
    throw unavailable(lines.join("\n"));
  }

  /** How the bot's own identity (`bot-identity`) and its services are. */
  statuses(): readonly ServiceStatus[] {
    return this.#bot.readiness.all();
  }

  /** Renews the bot's own identity, and then everything that was made from it. */
  renewNow(): void {
    this.#bot.renewNow();
  }

  async generateIdentity(request?: IdentityRequest): Promise<GeneratedIdentity> {
    return await this.#source.generateIdentity(request);
  }

  async listenForRotation(listener: () => void): Promise<Disposable> {
    return await this.#source.listenForRotation(listener);
  }

  clientForIdentity(
    identity: GeneratedIdentity,
  ): ReturnType<CredentialSource["clientForIdentity"]> {
    return this.#source.clientForIdentity(identity);
  }

  async getTrust(): Promise<Trust> {
    return await this.#source.getTrust();
  }

  /** Ends its services, after what they have in flight. */
  async close(): Promise<void> {
    await this.#owned.disposeAsync();
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.close();
  }
}

function read(settings: BotSettings): BotConfiguration & { storage: object } {
  const { configuration: given = {}, joinUri, storage } = settings;
  const what = "the bot's configuration";
  const more = {
    ...(joinUri === undefined ? {} : { join_uri: joinUri }),
    ...(storage === undefined ? {} : { storage }),
  };
  const trees: Tree[] = [
    ...(typeof given === "string"
      ? yamlTrees({ text: given, file: what }, "one")
      : [valueTree(given)]),
    valueTree(more),
  ];
  const configuration = parseTree({ trees, what, schema: botConfiguration });
  return { ...configuration, storage: configuration.storage ?? MEMORY };
}
