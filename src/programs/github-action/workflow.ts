import { randomUUID } from "node:crypto";
import { appendFileSync } from "node:fs";
import type { Sink } from "#base/cli";
import { unavailable } from "#base/kernel";
import { fileEntry, workflowCommand } from "./workflow-command.ts";

type Environment = Readonly<Record<string, string | undefined>>;
type Level = "error" | "warning" | "notice";

/**
 * What an action hears from its runner and says to it: docs.github.com, "Workflow commands for
 * GitHub Actions" and "Metadata syntax". Writes at once, so that nothing is lost when the job is
 * canceled.
 */
export class Workflow {
  readonly env: Environment;
  readonly #out: Sink;

  constructor({ env, out }: { env: Environment; out: Sink }) {
    this.env = env;
    this.#out = out;
  }

  /** What `with:` says, or the default of `action.yml`, without space around it; empty when there is none. */
  input(name: string): string {
    return this.env[`INPUT_${name.replaceAll(" ", "_").toUpperCase()}`]?.trim() ?? "";
  }

  /** What the main part of this action saved for its post step. */
  state(name: string): string {
    return this.env[`STATE_${name}`] ?? "";
  }

  saveState(name: string, value: string): void {
    this.#append("GITHUB_STATE", fileEntry(name, value, randomUUID()));
  }

  setOutput(name: string, value: string): void {
    this.#append("GITHUB_OUTPUT", fileEntry(name, value, randomUUID()));
  }

  /** For every later step of the job. */
  exportVariable(name: string, value: string): void {
    this.#append("GITHUB_ENV", fileEntry(name, value, randomUUID()));
  }

  /** Goes before the rest of PATH in every later step. */
  addPath(directory: string): void {
    this.#append("GITHUB_PATH", `${directory}\n`);
  }

  /** From now on the log shows `***` instead, line by line. */
  mask(secret: string): void {
    for (const line of secret.split(/\r?\n/).filter((line) => line.trim() !== ""))
      this.#out.write(workflowCommand("add-mask", line));
  }

  say(line: string): void {
    this.#out.write(`${line}\n`);
  }

  annotate(level: Level, message: string, title: string): void {
    this.#out.write(workflowCommand(level, message, { title }));
  }

  /** Text of others in a fold of the log; commands in it are not obeyed. */
  fold(title: string, text: string): void {
    const resume = randomUUID();
    this.#out.write(workflowCommand("group", title));
    this.#out.write(workflowCommand("stop-commands", resume));
    this.#out.write(text === "" || text.endsWith("\n") ? text : `${text}\n`);
    this.#out.write(workflowCommand(resume, ""));
    this.#out.write(workflowCommand("endgroup", ""));
  }

  #append(variable: string, text: string): void {
    const path = this.env[variable];
    if (path) return appendFileSync(path, text);
    throw unavailable(
      `${variable} is not set: this is an action, which a runner of GitHub Actions starts`,
    );
  }
}
