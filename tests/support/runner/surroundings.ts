// What a step finds around it: variables, inputs, and the command that it is.
import { randomUUID } from "node:crypto";
import { writeFile } from "node:fs/promises";
import { delimiter, join } from "node:path";
import { expand, type Context } from "./expressions.ts";
import type { JobOptions, Outcome, Planned } from "./job.ts";
import { TRACKING } from "./orphans.ts";

const NODE_MAJOR = "v24.";
type Texts = Readonly<Record<string, string>>;

/** What earlier steps left for later ones. */
export class Surroundings {
  readonly trackingId = `github_${randomUUID()}`;
  readonly #options: JobOptions;
  readonly #env: Record<string, string>;
  readonly #path: string[] = [];
  readonly #steps: Record<string, { outputs: Texts; outcome: Outcome }> = {};

  constructor(options: JobOptions) {
    this.#options = options;
    this.#env = { ...strings(options.workflow.env), ...strings(options.job.env), ...options.env };
  }

  add(left: { env: Texts; path: readonly string[] }): void {
    Object.assign(this.#env, left.env);
    this.#path.unshift(...left.path.toReversed());
  }

  name(id: string, step: { outputs: Texts; outcome: Outcome }): void {
    this.#steps[id] = step;
  }

  context(status: Context["status"], env: Texts = {}): Context {
    const { vars, secrets, directories } = this.#options;
    const values = {
      vars,
      secrets,
      env: { ...this.#env, ...env },
      steps: this.#steps,
      runner: { temp: directories.temp, os: "Linux" },
      github: { workspace: directories.work, repository: "octo/app" },
    };
    return { values, status };
  }

  async command({ step, stage, action }: Planned): Promise<readonly string[]> {
    if (action) {
      if (!process.version.startsWith(NODE_MAJOR))
        throw new Error(`actions run on node24, and this is ${process.version}`);
      const { main, post } = action.manifest.runs;
      return [process.execPath, join(action.directory, stage === "main" ? main : post!)];
    }
    const script = join(this.#options.directories.temp, `${randomUUID()}.sh`);
    await writeFile(script, expand(step.run ?? "", this.context("success", strings(step.env))));
    if (step.shell === undefined) return ["bash", "-e", script];
    const flags =
      step.shell === "bash" ? ["--noprofile", "--norc", "-e", "-o", "pipefail"] : ["-e"];
    return [step.shell, ...flags, script];
  }

  environment(planned: Planned, files: Texts): NodeJS.ProcessEnv {
    const { machine, directories } = this.#options;
    const own = this.#expanded(planned.step.env);
    const path = own["PATH"] ?? this.#env["PATH"] ?? machine["PATH"] ?? "";
    return {
      ...machine,
      CI: "true",
      GITHUB_ACTIONS: "true",
      GITHUB_REPOSITORY: "octo/app",
      GITHUB_WORKSPACE: directories.work,
      RUNNER_TEMP: directories.temp,
      RUNNER_OS: "Linux",
      [TRACKING]: this.trackingId,
      ...this.#env,
      ...own,
      ...prefixed("STATE_", planned.state),
      ...prefixed("INPUT_", this.#inputs(planned)),
      ...this.#idToken(),
      ...files,
      PATH: [...this.#path, path].join(delimiter),
    };
  }

  #idToken(): Texts {
    const { workflow, job, idToken } = this.#options;
    const permissions = { ...workflow.permissions, ...job.permissions };
    if (permissions["id-token"] !== "write") return {};
    const { url, token } = idToken;
    return { ACTIONS_ID_TOKEN_REQUEST_URL: url, ACTIONS_ID_TOKEN_REQUEST_TOKEN: token };
  }

  /** Upper case, underscores for spaces; the manifest's defaults for those not given. */
  #inputs({ step, action }: Planned): Texts {
    if (!action) return {};
    const { inputs } = action.manifest;
    const given = this.#expanded(step.with, strings(step.env));
    const unknown = Object.keys(given).filter((name) => !Object.hasOwn(inputs, name));
    if (unknown.length > 0) throw new Error(`unexpected inputs: ${unknown.join(", ")}`);
    const all = Object.entries(inputs).map(([name, { default: usual }]) => [
      name.replaceAll(" ", "_").toUpperCase(),
      given[name] ?? usual,
    ]);
    return Object.fromEntries(all) as Texts;
  }

  #expanded(values: Readonly<Record<string, unknown>>, env: Texts = {}): Texts {
    const context = this.context("success", env);
    const pairs = Object.entries(values).map(([key, text]) => [key, expand(String(text), context)]);
    return Object.fromEntries(pairs) as Texts;
  }
}

const strings = (values: Readonly<Record<string, unknown>>): Texts =>
  Object.fromEntries(Object.entries(values).map(([key, value]) => [key, String(value)]));

const prefixed = (prefix: string, values: Texts): Texts =>
  Object.fromEntries(Object.entries(values).map(([key, value]) => [`${prefix}${key}`, value]));
