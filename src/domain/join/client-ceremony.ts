import { create, type MessageInitShape } from "@bufbuild/protobuf";
import {
  JoinRequestSchema,
  type Challenge,
  type Init,
  type JoinRequest,
  type JoinResponse,
  type Result,
} from "@tenon/api/tenon/join/v1/join";
import {
  boundKeyFingerprint,
  boundKeyLine,
  signJwsWith,
  type BoundKeySuite,
  type KeyStore,
} from "#base/crypto";
import { badParameter, messageOf, unavailable, type Logger } from "#base/kernel";
import { checkChallenge } from "./challenge.ts";
import type { Answer } from "./client-id-token.ts";
import { afterJoin, forgetKeys, successor } from "./client-keys.ts";
import {
  identityOf,
  joinedBy,
  type JoinedIdentity,
  type JoinStorage,
  type Prepared,
} from "./client-state.ts";
import { leftPins } from "./client-trust.ts";
import { aborting } from "./client-wait.ts";
import {
  ackSent,
  initSent,
  newKeySent,
  newSolutionSent,
  solutionSent,
  type ClientState,
  type JoinReply,
} from "./protocol.ts";

/** One stream to the server. Failures of either kind reject with the server's or the line's code. */
export interface JoinTransport extends AsyncDisposable {
  send(request: JoinRequest): Promise<void> | void;
  /** The next message; `undefined` when the stream ended without one. */
  receive(): Promise<JoinResponse | undefined>;
}

type Message = NonNullable<MessageInitShape<typeof JoinRequestSchema>["message"]>;

export interface Conclusion {
  readonly identity: JoinedIdentity;
  readonly notices: readonly string[];
}

/** What an answer leads to: the next message and the state that awaits its answer. */
interface Turn {
  readonly state: ClientState;
  readonly message: Message;
}

/** The client's half of one ceremony. */
export class ClientCeremony {
  readonly #transport: JoinTransport;
  readonly #storage: JoinStorage;
  readonly #keys: KeyStore;
  readonly #logger: Logger;
  readonly #keySuite: BoundKeySuite | undefined;
  readonly #answer: Answer | undefined;
  readonly #onChallenge: ((challenge: Challenge) => void) | undefined;
  #stored: Prepared;
  #conclusion: Conclusion | undefined;

  constructor(options: {
    transport: JoinTransport;
    storage: JoinStorage;
    keys: KeyStore;
    logger: Logger;
    state: Prepared;
    /** Of successors; without it, what the server proposes. */
    keySuite?: BoundKeySuite | undefined;
    /** Solves challenges in place of a bound key. */
    answer?: Answer | undefined;
    /** Called before anything is signed; may throw. */
    onChallenge?: (challenge: Challenge) => void;
  }) {
    this.#transport = options.transport;
    this.#storage = options.storage;
    this.#keys = options.keys;
    this.#logger = options.logger;
    this.#keySuite = options.keySuite;
    this.#answer = options.answer;
    this.#onChallenge = options.onChallenge;
    this.#stored = options.state;
  }

  /** From Init to Acknowledged; resolves once the credential is stored. */
  async run(init: Init, signal: AbortSignal): Promise<Conclusion> {
    let state = initSent();
    try {
      await this.#send({ case: "init", value: init });
      while (state.at !== "ack_sent") {
        const turn = await this.#advance(state, await this.#receive(signal));
        state = turn.state;
        await this.#send(turn.message);
      }
      await this.#confirmed(signal);
    } catch (error) {
      if (!this.#conclusion) throw error;
      this.#logger.debug("the acknowledgement was lost; the next join makes up for it", { error });
    }
    return this.#conclusion!;
  }

  /** The one transition: what each state does with the answer that came. */
  async #advance(state: ClientState, reply: JoinReply): Promise<Turn> {
    try {
      switch (state.at) {
        case "init_sent":
          if (reply.case === "result") return await this.#keep(reply.value);
          if (reply.case === "challenge") return await this.#first(reply.value);
          break;
        case "solution_sent":
          if (reply.case === "result") return await this.#keep(reply.value);
          if (reply.case === "rotationRequest")
            return await this.#rotate(reply.value.algorithmSuite);
          break;
        case "new_key_sent":
          if (reply.case === "challenge")
            return await this.#solve(reply.value.document, state.keyId, newSolutionSent());
          break;
        case "new_solution_sent":
          if (reply.case === "result") return await this.#keep(reply.value);
          break;
        case "ack_sent":
          break;
      }
      throw badParameter(
        `the server sent "${reply.case}" while "${state.at}" awaited another message`,
      );
    } catch (error) {
      await this.#giveUp(error);
      throw error;
    }
  }

  async #first(challenge: Challenge): Promise<Turn> {
    this.#onChallenge?.(challenge);
    return await this.#solve(challenge.document, this.#stored.bound_keys[0], solutionSent());
  }

  async #solve(document: string, keyId: string | undefined, state: ClientState): Promise<Turn> {
    const jws = this.#answer ? await this.#answer(document) : await this.#sign(document, keyId);
    return { state, message: { case: "solution", value: { jws } } };
  }

  async #sign(document: string, keyId: string | undefined): Promise<string> {
    if (!keyId)
      throw badParameter("the server asks for a bound key, and this join method has none");
    const fingerprint = boundKeyFingerprint(await this.#keys.public(keyId));
    checkChallenge(document, { token: this.#stored.pending.token, keyId: fingerprint });
    return await signJwsWith(this.#keys, keyId, document);
  }

  /** The successor is on disk before the server hears of it: if the answer is lost, it may be bound. */
  async #rotate(algorithmSuite: string): Promise<Turn> {
    const { pending } = this.#stored;
    const keyId = await successor(this.#keys, {
      made: pending.next_key_id,
      proposed: algorithmSuite,
      configured: this.#keySuite,
    });
    await this.#save({ ...this.#stored, pending: { ...pending, next_key_id: keyId } });
    const publicKey = boundKeyLine(await this.#keys.public(keyId));
    return { state: newKeySent(keyId), message: { case: "newKey", value: { publicKey } } };
  }

  /** The old state is kept until this one is stored; only then is the result acknowledged. */
  async #keep(result: Result): Promise<Turn> {
    const before = this.#stored;
    const { pending, left_pins: _left, ...rest } = before;
    const joined = joinedBy(pending, result);
    const identity = identityOf(joined);
    const bound_keys = await this.#boundKeys(result);
    await this.#storage.save({ ...rest, ...leftPins(before, identity.trust), bound_keys, joined });
    this.#conclusion = { identity, notices: result.notices };
    if (pending.rotate && bound_keys[0] === before.bound_keys[0])
      this.#logger.warn("the bound key was not replaced yet; the next join asks for it again");
    await forgetKeys({ keys: this.#keys, before, kept: bound_keys, logger: this.#logger });
    return { state: ackSent(), message: { case: "ack", value: {} } };
  }

  async #boundKeys({ boundPublicKey }: Result): Promise<string[]> {
    if (boundPublicKey === "") return this.#stored.bound_keys;
    return await afterJoin({ keys: this.#keys, state: this.#stored, boundPublicKey });
  }

  async #save(state: Prepared): Promise<void> {
    await this.#storage.save(state);
    this.#stored = state;
  }

  async #confirmed(signal: AbortSignal): Promise<void> {
    const reply = await this.#receive(signal);
    if (reply.case !== "acknowledged")
      throw badParameter(`the server sent "${reply.case}" in place of its confirmation`);
  }

  async #send(message: Message): Promise<void> {
    await this.#transport.send(create(JoinRequestSchema, { message }));
  }

  async #receive(signal: AbortSignal): Promise<JoinReply> {
    const response = await aborting(this.#transport.receive(), signal);
    if (!response) throw unavailable("the server ended the join without an answer");
    const { message } = response;
    if (message.case === undefined) throw badParameter("the server sent an empty message");
    return message;
  }

  /** A courtesy to the server's log; the stream ends anyway. */
  async #giveUp(error: unknown): Promise<void> {
    try {
      await this.#send({ case: "givingUp", value: { reason: messageOf(error) } });
    } catch (lost) {
      this.#logger.debug("the server was not told why the join ended", { error: lost });
    }
  }
}
