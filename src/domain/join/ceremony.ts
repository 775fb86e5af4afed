import { create } from "@bufbuild/protobuf";
import {
  AcknowledgedSchema,
  ChallengeSchema,
  ResultSchema,
  RotationRequestSchema,
  type Init,
} from "@tenon/api/tenon/join/v1/join";
import { badParameter, timedOut, type Clock, type Logger } from "#base/kernel";
import {
  awaitingAnswer,
  awaitingInit,
  busy,
  CEREMONY_MS,
  ended,
  type JoinMessage,
  type JoinReply,
  type ServerState,
  type Step,
} from "./protocol.ts";

/** What a message leads to: the method's next step, or the end of the ceremony. */
type Outcome =
  | { readonly next: Step }
  | { readonly next: "acknowledged" }
  | { readonly next: "given_up"; readonly why: string };

interface CeremonyOptions {
  readonly clock: Clock;
  readonly logger: Logger;
  /** Starts the method that the Init asks for. */
  readonly begin: (init: Init) => Promise<Step>;
}

/** Only the client's own words; enough to be of help in a log. */
const MAX_REASON = 256;

/**
 * The server's half of one ceremony: takes one message at a time and gives its answer. Every
 * failure ends it; the caller then ends the stream with that error.
 */
export class Ceremony {
  readonly #options: CeremonyOptions;
  readonly #deadline: number;
  #state: ServerState = awaitingInit();

  constructor(options: CeremonyOptions) {
    this.#options = options;
    this.#deadline = options.clock.monotonic() + CEREMONY_MS;
  }

  /** `undefined` when the client gave up. Throws `bad_parameter` for a message that is not awaited. */
  async receive(message: JoinMessage): Promise<JoinReply | undefined> {
    const state = this.#state;
    this.#state = busy();
    try {
      this.#checkDeadline();
      const outcome = await advance(state, message, this.#options.begin);
      return this.#settle(outcome);
    } catch (error) {
      this.#state = ended("an earlier message was refused");
      throw error;
    }
  }

  /** The stream is gone. A commit that is under way completes: the client's next attempt finds it. */
  close(reason: string): void {
    if (this.#state.at !== "ended" && this.#state.at !== "init")
      this.#options.logger.debug("a join ended early", { awaited: this.#state.at, reason });
    this.#state = ended(reason);
  }

  get over(): boolean {
    return this.#state.at === "ended";
  }

  #checkDeadline(): void {
    if (this.#options.clock.monotonic() >= this.#deadline)
      throw timedOut(`the join took over ${CEREMONY_MS / 1000} s; start again`);
  }

  #settle(outcome: Outcome): JoinReply | undefined {
    if (this.#state.at === "ended") return undefined;
    switch (outcome.next) {
      case "acknowledged":
        this.#state = ended("the join is complete");
        return { case: "acknowledged", value: create(AcknowledgedSchema) };
      case "given_up":
        this.close(`the client gave up: ${outcome.why.slice(0, MAX_REASON)}`);
        return undefined;
      default:
        this.#state = awaitingAnswer(outcome.next);
        return replyOf(outcome.next);
    }
  }
}

/** The one transition: what each state does with the message that it awaits. */
async function advance(
  state: ServerState,
  message: JoinMessage,
  begin: CeremonyOptions["begin"],
): Promise<Outcome> {
  if (message.case === "givingUp" && state.at !== "ended")
    return { next: "given_up", why: message.value.reason };
  switch (state.at) {
    case "init":
      if (message.case === "init") return { next: await begin(message.value) };
      break;
    case "solution":
      if (message.case === "solution") return { next: await state.solve(message.value.jws) };
      break;
    case "new_key":
      if (message.case === "newKey") return { next: await state.offer(message.value.publicKey) };
      break;
    case "ack":
      if (message.case !== "ack") break;
      await state.acknowledge();
      return { next: "acknowledged" };
    case "busy":
      throw badParameter(`"${message.case}" came before the message ahead of it was answered`);
    case "ended":
      throw badParameter(`"${message.case}" came after the end of the join: ${state.why}`);
  }
  throw badParameter(`"${message.case}" came while the join awaited "${state.at}"`);
}

function replyOf(step: Step): JoinReply {
  switch (step.step) {
    case "challenge": {
      const { document, publicKey, resync = false } = step;
      return { case: "challenge", value: create(ChallengeSchema, { document, publicKey, resync }) };
    }
    case "rotation": {
      const { algorithmSuite } = step;
      return {
        case: "rotationRequest",
        value: create(RotationRequestSchema, { algorithmSuite }),
      };
    }
    default:
      return { case: "result", value: create(ResultSchema, step.result) };
  }
}
