// A stand-in for a runner of GitHub Actions: jobs of workflow files, by the documented contract.
import { mkdir, mkdtemp, rm, symlink } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { parseWorkflow } from "./runner/documents.ts";
import type { JobResult, StepResult } from "./runner/job.ts";
import { JobRun } from "./runner/job-run.ts";
import { Masks } from "./runner/output.ts";

export type { JobResult, StepResult };

const root = new URL("../../", import.meta.url).pathname;

export interface RunnerOptions {
  /** What every process on this machine has. */
  readonly machine?: NodeJS.ProcessEnv;
  readonly vars?: Readonly<Record<string, string>>;
  readonly secrets?: Readonly<Record<string, string>>;
  /** Where a job with the permission `id-token: write` gets its ID tokens. */
  readonly idToken: { readonly url: string; readonly token: string };
}

export class Runner implements AsyncDisposable {
  readonly directory: string;
  readonly #options: RunnerOptions;
  #cancel = new AbortController();
  #job: JobRun | undefined;

  private constructor(directory: string, options: RunnerOptions) {
    this.directory = directory;
    this.#options = options;
  }

  /** A machine whose workspace holds this project's actions, as after a checkout. */
  static async open(options: RunnerOptions): Promise<Runner> {
    const directory = await mkdtemp(join(tmpdir(), "runner-"));
    const runner = new Runner(directory, options);
    await mkdir(runner.temp);
    await mkdir(runner.work);
    await symlink(join(root, "actions"), join(runner.work, "actions"));
    return runner;
  }

  get temp(): string {
    return join(this.directory, "_temp");
  }

  get work(): string {
    return join(this.directory, "work");
  }

  /** Runs the only job of a workflow; `env` goes over the workflow's own. */
  async run(text: string, env: Readonly<Record<string, string>> = {}): Promise<JobResult> {
    const workflow = parseWorkflow(text);
    const [job, ...others] = Object.values(workflow.jobs);
    if (!job || others.length > 0) throw new Error("a workflow of this stand-in has one job");
    const { machine = {}, vars = {}, secrets = {}, idToken } = this.#options;
    const masks = new Masks();
    for (const secret of [...Object.values(secrets), idToken.token]) masks.add(secret);
    this.#cancel = new AbortController();
    this.#job = new JobRun({
      workflow,
      job,
      directories: { work: this.work, temp: this.temp },
      machine: { PATH: process.env["PATH"], HOME: this.directory, ...machine },
      env,
      vars,
      secrets,
      idToken,
      masks,
      cancel: this.#cancel.signal,
    });
    return await this.#job.run();
  }

  /** What the step that runs now has printed; nothing before it runs. */
  printed(step: string): string {
    const current = this.#job?.current;
    return current?.name === step ? current.output.text : "";
  }

  isAt(step: string): boolean {
    return this.#job?.current?.name === step;
  }

  /** As a person does it on the page of the job. */
  cancel(): void {
    this.#cancel.abort();
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await rm(this.directory, { recursive: true, force: true });
  }
}

/** A step of a job by its name; fails with the whole log when it is not there. */
export function stepOf(job: JobResult, name: string, stage: "main" | "post" = "main"): StepResult {
  const found = job.steps.find((step) => step.name === name && step.stage === stage);
  if (found) return found;
  throw new Error(`no step "${name}" (${stage}) in this job:\n${logOf(job)}`);
}

/** Everything that a job showed, for what an assertion should say. */
export function logOf({ steps }: JobResult): string {
  return steps
    .map(({ name, stage, outcome, log }) => `── ${stage} ${name}: ${outcome}\n${log}`)
    .join("\n");
}
