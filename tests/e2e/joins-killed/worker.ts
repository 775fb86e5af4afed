// Machines that join without pause, in a process that may be killed at any moment.
import { mkdir } from "node:fs/promises";
import { join } from "node:path";
import { DirectoryKeyStore } from "#base/crypto";
import { codeOf, messageOf, silentLogger, sleep, systemClock, type Clock } from "#base/kernel";
import { verifyClientCertificate } from "#domain/authority";
import { JoinClient, type JoinState, type JoinStorage } from "#domain/join";
import { DirectoryJoinStorage, DirectoryRotationWish, Enrolment } from "#services/enrolment";
import { seeded } from "#testing/seeded";
import { tell } from "#testing/tell";
import { tokenOf, type Acknowledged, type Failed, type WorkerOptions } from "./load.ts";

const options = JSON.parse(process.argv[2]!) as WorkerOptions;
/** Nothing answers while the cluster is down. */
const PAUSE_MS = 50;
const HOURS = 7_200_000;
/** What a machine does at a join, as shares of all joins. */
const RECOVERS = 0.2;
const ROTATES = 0.05;
const forever = new AbortController().signal;

/** A machine's storage, which remembers the attempt that was last on it. */
class Watched implements JoinStorage {
  readonly #inner: DirectoryJoinStorage;
  attempt = "";

  constructor(path: string) {
    this.#inner = new DirectoryJoinStorage(path);
  }

  load(): Promise<JoinState | undefined> {
    return this.#inner.load();
  }

  async save(state: JoinState): Promise<void> {
    this.attempt = state.pending?.attempt_id ?? this.attempt;
    await this.#inner.save(state);
  }
}

class Machine {
  readonly #number: number;
  readonly #random: () => number;
  readonly #storage: Watched;
  readonly #wish: DirectoryRotationWish;
  readonly #client: JoinClient;
  #ahead = 0;

  private constructor(number: number, path: string, keys: DirectoryKeyStore) {
    this.#number = number;
    this.#random = seeded(options.seed + number);
    this.#storage = new Watched(path);
    this.#wish = new DirectoryRotationWish(path);
    const host = { hostname: path, os: "linux", architecture: "x64", version: "1.0.0" };
    this.#client = new JoinClient({
      settings: {
        method: "bound_keypair",
        token: tokenOf(number),
        registrationSecret: "s3cret",
        role: "Bot",
        host,
      },
      storage: this.#storage,
      keys,
      wish: this.#wish,
      clock: { ...systemClock, now: () => systemClock.now() + this.#ahead } satisfies Clock,
      logger: silentLogger,
    });
  }

  static async open(number: number): Promise<Machine> {
    const path = join(options.directory, tokenOf(number));
    await mkdir(path, { recursive: true, mode: 0o700 });
    return new Machine(number, path, await DirectoryKeyStore.open(join(path, "keys")));
  }

  async run(): Promise<never> {
    for (;;) {
      try {
        await this.#prepare();
        await this.#join();
        tell(JSON.stringify(await this.#acknowledged()));
      } catch (error) {
        const failed = { machine: this.#number, code: codeOf(error), message: messageOf(error) };
        tell(JSON.stringify(failed satisfies Failed));
        await sleep(systemClock, PAUSE_MS);
      }
    }
  }

  /** With its clock ahead, it takes its certificate for one that has ended, and recovers. */
  async #prepare(): Promise<void> {
    this.#ahead = this.#random() < RECOVERS ? HOURS : 0;
    const rotates = this.#random() < ROTATES;
    const [bound] = (await this.#storage.load())?.bound_keys ?? [];
    if (rotates && bound !== undefined) await this.#wish.write(bound);
  }

  async #join(): Promise<void> {
    const { port, caPin } = options;
    using enrolment = await Enrolment.open({
      address: { host: "127.0.0.1", port },
      caPins: [caPin],
      join: this.#client,
      storage: this.#storage,
      clock: systemClock,
    });
    await enrolment.join(forever);
  }

  /** What its disk says that it is. */
  async #acknowledged(): Promise<Acknowledged> {
    this.#ahead = 0;
    const state = (await this.#storage.load())!.joined!;
    const current = (await this.#client.current())!;
    const verified = verifyClientCertificate(
      current.tlsCertificate,
      current.trust,
      systemClock.now(),
    );
    if (verified.kind !== "user") throw new TypeError("the machine is no bot");
    const { botInstanceId: instance = "", generation = 0 } = verified.identity;
    const payload = Buffer.from(state.join_state.split(".")[1]!, "base64url").toString();
    const claims = JSON.parse(payload) as { recovery_sequence: number; recovery_count: number };
    return {
      machine: this.#number,
      attempt: this.#storage.attempt,
      instance,
      generation,
      sequence: claims.recovery_sequence,
      recoveries: claims.recovery_count,
    };
  }
}

const machines = await Promise.all(
  Array.from({ length: options.machines }, (_, number) => Machine.open(number)),
);
await Promise.all(machines.map((machine) => machine.run()));
