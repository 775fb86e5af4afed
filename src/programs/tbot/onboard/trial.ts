import type { CommandIo } from "#base/cli";
import { canceled, systemClock } from "#base/kernel";
import { createLogger, Metrics } from "#base/observe";
import {
  Bot,
  BOT_IDENTITY,
  checkConfiguration,
  enrol,
  hostFacts,
  type BotConfiguration,
  type BotControl,
  type ControlledStatus,
  type Placed,
} from "#services/tbot";
import type { Enrolment } from "#services/enrolment";
import { apiSocket } from "../api-socket.ts";

/** As many as a screen holds. */
const LOG_LINES = 30;
/** More are found by typing their names. */
const MAX_NAMES = 200;

/** A bot in this process, for as long as somebody tries things out. */
export class Trial implements AsyncDisposable {
  readonly #bot: Bot;
  readonly #enrolment: Enrolment;
  readonly #signal: AbortSignal;
  readonly #lines: readonly string[];
  readonly #owned: AsyncDisposableStack;

  private constructor(parts: {
    bot: Bot;
    enrolment: Enrolment;
    signal: AbortSignal;
    lines: readonly string[];
    owned: AsyncDisposableStack;
  }) {
    this.#bot = parts.bot;
    this.#enrolment = parts.enrolment;
    this.#signal = parts.signal;
    this.#lines = parts.lines;
    this.#owned = parts.owned;
  }

  /** Opens the storage and begins to join. */
  static async start(configuration: BotConfiguration & Placed, io: CommandIo): Promise<Trial> {
    const lines: string[] = [];
    const sink = { write: (text: string) => keep(lines, text) };
    const log = createLogger({ level: "info", format: "text", sink });
    const parameters = checkConfiguration(configuration);
    const shared = { configuration, clock: systemClock, log };
    await using owned = new AsyncDisposableStack();
    const { enrolment } = owned.use(await enrol({ ...shared, parameters, env: io.env }));
    const metrics = new Metrics();
    const bot = new Bot({
      ...shared,
      enrolment,
      host: hostFacts(),
      random: Math.random,
      metrics,
      surroundings: { apiSocket: apiSocket(io) },
    });
    const stop = new AbortController();
    const running = bot.run(stop.signal);
    running.catch(() => {});
    owned.defer(async () => {
      stop.abort();
      await running;
    });
    return new Trial({ bot, enrolment, signal: io.signal, lines, owned: owned.move() });
  }

  get control(): BotControl {
    return this.#bot;
  }

  /** How the bot's own identity is, once that is known. */
  async joined(): Promise<ControlledStatus> {
    const { readiness } = this.#bot;
    await readiness.settled({ name: BOT_IDENTITY, signal: this.#signal });
    if (this.#signal.aborted) throw canceled("stopped");
    return this.#bot.status(BOT_IDENTITY);
  }

  /** What this bot's roles open, of one kind. */
  async namesOf(kind: string): Promise<readonly string[]> {
    const request = { kind, pageSize: MAX_NAMES };
    const { resources } = await this.#enrolment.client.auth.listOpen(request, {
      signal: this.#signal,
    });
    return resources.map(({ name }) => name);
  }

  /** The last lines of the bot's log. */
  get log(): string {
    return this.#lines.join("");
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#owned.disposeAsync();
  }
}

function keep(lines: string[], text: string): void {
  lines.push(text);
  if (lines.length > LOG_LINES) lines.shift();
}
