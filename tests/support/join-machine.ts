// Clients of a JoinCluster, whose line the test can cut and whose disk it can copy.
import { create, fromBinary, toBinary } from "@bufbuild/protobuf";
import {
  JoinRequestSchema,
  JoinResponseSchema,
  type JoinRequest,
  type JoinResponse,
} from "@tenon/api/tenon/join/v1/join";
import { MemoryKeyStore, type KeyStore } from "#base/crypto";
import { CodedError, silentLogger, unavailable } from "#base/kernel";
import {
  JoinClient,
  MemoryJoinStorage,
  type Ceremony,
  type ConnectToJoin,
  type JoinedIdentity,
  type JoinMessage,
  type JoinReply,
  type JoinSettings,
  type JoinState,
  type JoinStorage,
  type JoinTransport,
} from "#domain/join";
import { refusal, type JoinCluster } from "./join.ts";

/**
 * Which message never arrives: one that the client sent, or one that the server answered. `patience`:
 * the client leaves as soon as its solution is sent, while the server still works on it.
 */
export type Lost = JoinMessage["case"] | JoinReply["case"] | "patience";

/** A client with its storage; `lose` cuts the next ceremony at a message. */
export class Machine {
  readonly storage: JoinStorage;
  readonly keys: KeyStore;
  readonly client: JoinClient;
  readonly cluster: JoinCluster;
  readonly settings: JoinSettings;
  lose: Lost | undefined;
  /** Somebody wishes the bound key, as it is at the next join, to be replaced. */
  wished = false;
  /** Never shows its certificate: every join is a recovery. */
  anonymous = false;
  /** Changes what the client says, as a hostile one would. */
  tamper: (message: JoinMessage) => JoinMessage = (message) => message;
  /** What somebody does just before a message of the next ceremony arrives. */
  meanwhile: Meanwhile | undefined;
  /** Everything that went over the line, by name. */
  readonly log: string[] = [];
  /** What the server refused, one for each ceremony that it ended. */
  readonly refused: CodedError[] = [];

  constructor(
    cluster: JoinCluster,
    settings: Partial<JoinSettings> & Pick<JoinSettings, "token">,
    parts: { storage?: JoinStorage; keys?: KeyStore } = {},
  ) {
    this.cluster = cluster;
    this.settings = {
      method: "bound_keypair",
      registrationSecret: "s3cret",
      role: "Bot",
      host: { hostname: "machine-1", os: "linux", architecture: "x64", version: "1.0.0" },
      ...settings,
    };
    this.storage = parts.storage ?? new MemoryJoinStorage();
    this.keys = parts.keys ?? new MemoryKeyStore();
    const { storage, keys } = this;
    const wish = { wanted: (keyId: string) => this.#wanted(keyId) };
    const options = { settings: this.settings, storage, keys, wish, clock: cluster.clock };
    this.client = new JoinClient({ ...options, logger: silentLogger });
  }

  /** As a wish on the disk: about one key, and gone with it. */
  #wishedOf: string | undefined;

  async #wanted(keyId: string): Promise<boolean> {
    if (this.wished) this.#wishedOf = keyId;
    this.wished = false;
    return this.#wishedOf === keyId;
  }

  readonly connect: ConnectToJoin = async ({ identity }) => {
    const { lose, log, refused, tamper, meanwhile } = this;
    this.lose = undefined;
    const line = new Line(this.cluster.begin(this.anonymous ? undefined : identity), {
      lose,
      log,
      refused,
      tamper,
      meanwhile,
    });
    this.#lines.push(line);
    return line;
  };

  #lines: Line[] = [];

  /** Nothing that it ever sent is being worked on any more. */
  async settled(): Promise<void> {
    for (const line of this.#lines) await line.settled();
    this.#lines = [];
  }

  join(signal = new AbortController().signal): ReturnType<JoinClient["join"]> {
    return this.client.join(this.connect, signal);
  }

  /** The same disk in a second machine. */
  async copy(): Promise<Machine> {
    const storage = new MemoryJoinStorage();
    const state = await this.storage.load();
    if (state) await storage.save(state);
    return new Machine(this.cluster, this.settings, { storage, keys: this.keys });
  }

  /** Its disk as it is when an attempt has been prepared, and nothing was sent. */
  async prepared(): Promise<JoinState | undefined> {
    this.lose = "init";
    await refusal(this.join());
    return await this.storage.load();
  }

  /** Changes what is on its disk. */
  async edit(edit: (state: JoinState) => JoinState): Promise<void> {
    await this.storage.save(edit((await this.storage.load())!));
  }

  /** Throws its certificate away: the next join is a recovery. */
  async loseCertificate(): Promise<void> {
    const past = await this.identity();
    await this.cluster.clock.advance(past.expires - this.cluster.clock.now());
  }

  /** The number of the certificate, as the cluster has it now. */
  async instanceId(): Promise<string> {
    const verified = this.cluster.verified(await this.identity());
    return verified?.kind === "user" ? verified.identity.botInstanceId! : "";
  }

  async identity(): Promise<JoinedIdentity> {
    return (await this.client.current())!;
  }
}

export interface Meanwhile {
  readonly before: JoinMessage["case"];
  readonly act: () => Promise<void>;
}

type Faults = Pick<Machine, "lose" | "log" | "refused" | "tamper" | "meanwhile">;

/** The bytes of both directions, as a stream would carry them. */
class Line implements JoinTransport {
  readonly #ceremony: Ceremony;
  readonly #faults: Faults;
  readonly #replies: Promise<JoinReply | undefined>[] = [];
  readonly #sent: Promise<unknown>[] = [];
  #last: JoinMessage["case"] | undefined;

  constructor(ceremony: Ceremony, faults: Faults) {
    this.#ceremony = ceremony;
    this.#faults = faults;
  }

  async send(request: JoinRequest): Promise<void> {
    const { message } = fromBinary(JoinRequestSchema, toBinary(JoinRequestSchema, request));
    if (message.case === undefined) throw new TypeError("an empty message was sent");
    const { lose, log, tamper, meanwhile } = this.#faults;
    log.push(message.case);
    this.#last = message.case;
    if (message.case === lose) throw unavailable("the line was cut");
    if (meanwhile?.before === message.case) await meanwhile.act();
    const reply = this.#ceremony.receive(tamper(message));
    reply.catch((error: unknown) => {
      if (error instanceof CodedError) this.#faults.refused.push(error);
    });
    this.#replies.push(reply);
    this.#sent.push(reply);
  }

  async settled(): Promise<void> {
    await Promise.allSettled(this.#sent);
  }

  async receive(): Promise<JoinResponse | undefined> {
    if (this.#faults.lose === "patience" && this.#last === "solution")
      throw unavailable("the client did not wait");
    const message = await this.#replies.shift();
    if (!message) return undefined;
    if (message.case === this.#faults.lose) throw unavailable("the line was cut");
    this.#faults.log.push(message.case);
    const bytes = toBinary(JoinResponseSchema, create(JoinResponseSchema, { message }));
    return fromBinary(JoinResponseSchema, bytes);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#ceremony.close("the client has left");
  }
}
