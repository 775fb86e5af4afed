import { CodedError, internal, messageOf, unavailable, type Logger } from "#base/kernel";
import { once } from "node:events";
import { Worker } from "node:worker_threads";
import type { FromWorker, Reply, Request, ToWorker, WorkerOptions } from "./messages.ts";

/** Commits that may wait for the disk: some seconds of its work. Beyond it, callers hear so at once. */
const MAX_WAITING = 20_000;
const MAX_WAITING_CHARS = 64 * 1024 * 1024;

interface Waiting {
  readonly size: number;
  readonly answer: (reply: Reply) => void;
  readonly fail: (error: Error) => void;
}

/** The main thread's end of the worker: requests out, one message for each turn of the loop; replies in, in order. */
export class WorkerLink {
  readonly #worker: Worker;
  readonly #logger: Logger;
  readonly #waiting: Waiting[] = [];
  #outgoing: Request[] = [];
  #chars = 0;
  #broken: Error | undefined;
  #ailment: string | undefined;
  #idle: (() => void) | undefined;

  constructor(worker: Worker, logger: Logger) {
    this.#worker = worker;
    this.#logger = logger;
    worker.on("message", (message: FromWorker) => this.#receive(message));
    worker.on("error", (error) => this.#break(`its writer failed: ${error.message}`));
    worker.on("exit", (code) => this.#break(`its writer ended with code ${code}`));
  }

  /** Starts the worker and waits until it has opened the file. */
  static async start(url: URL, options: WorkerOptions, logger: Logger): Promise<WorkerLink> {
    const worker = new Worker(url, { workerData: options, name: "store" });
    const [first] = await firstMessage(worker);
    if (first.is === "broken") {
      await once(worker, "exit");
      throw new CodedError(first.failure.code, first.failure.message);
    }
    return new WorkerLink(worker, logger);
  }

  /**
   * Sends a request that holds `size` characters. `take` runs as the reply arrives, so that replies
   * are taken in the order of the requests; what it gives or throws settles the promise.
   */
  request<T>(request: Request, size: number, take: (reply: Reply) => T): Promise<T> {
    return new Promise((resolve, reject) => {
      this.#admit(size);
      if (this.#outgoing.length === 0) setImmediate(() => this.#flush());
      this.#outgoing.push(request);
      this.#chars += size;
      const answer = (reply: Reply): void => {
        try {
          resolve(take(reply));
        } catch (error) {
          reject(error);
        }
      };
      this.#waiting.push({ size, answer, fail: reject });
    });
  }

  /** Resolves when every request so far is answered. */
  async idle(): Promise<void> {
    if (this.#waiting.length > 0) await new Promise<void>((resolve) => (this.#idle = resolve));
  }

  /** Ends the worker, which folds the log into the file. */
  async close(): Promise<void> {
    if (this.#broken) return;
    const exit = once(this.#worker, "exit");
    this.#send("close");
    await exit;
  }

  #admit(size: number): void {
    if (this.#broken) throw this.#broken;
    if (this.#waiting.length < MAX_WAITING && this.#chars + size <= MAX_WAITING_CHARS) return;
    throw unavailable(
      `${this.#waiting.length} commits already wait for the store's disk; try again in a moment`,
    );
  }

  #flush(): void {
    const requests = this.#outgoing;
    this.#outgoing = [];
    this.#send(requests);
  }

  #send(message: ToWorker): void {
    this.#worker.postMessage(message);
  }

  #receive(message: FromWorker): void {
    if (message.is !== "replies") return;
    const answered = this.#waiting.splice(0, message.replies.length);
    for (const [i, { answer, size }] of answered.entries()) {
      this.#chars -= size;
      this.#diagnose(message.replies[i]!);
      answer(message.replies[i]!);
    }
    if (this.#waiting.length === 0) this.#idle?.();
  }

  /** Tells the log when the disk begins to refuse commits, and when it takes them again. */
  #diagnose(reply: Reply): void {
    const failure = reply.is === "failed" ? reply.failure : undefined;
    if (failure && failure.code !== "unavailable" && failure.code !== "internal") return;
    if (failure?.message === this.#ailment) return;
    this.#ailment = failure?.message;
    if (failure) {
      const { code, message: reason, detail } = failure;
      this.#logger.error("the store refuses commits", { code, reason, detail });
    } else this.#logger.info("the store takes commits again");
  }

  #break(reason: string): void {
    if (this.#broken) return;
    this.#broken = unavailable(
      `the store can no longer be written, ${reason}; restart the program`,
    );
    if (this.#waiting.length > 0) this.#logger.error("the store's writer is gone", { reason });
    for (const { fail } of this.#waiting.splice(0)) fail(this.#broken);
    this.#idle?.();
  }
}

async function firstMessage(worker: Worker): Promise<[FromWorker]> {
  try {
    return (await once(worker, "message")) as [FromWorker];
  } catch (error) {
    throw internal(`the store's writer did not start: ${messageOf(error)}`, { cause: error });
  }
}
