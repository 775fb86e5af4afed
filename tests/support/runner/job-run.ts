// The steps of one job, one after another, each in a process of its own.
import { join } from "node:path";
import { readAction, type Step } from "./documents.ts";
import { holds, type Context } from "./expressions.ts";
import type { JobOptions, JobResult, Outcome, Planned, StepResult } from "./job.ts";
import { killOrphans } from "./orphans.ts";
import { StepOutput } from "./output.ts";
import { StepFiles, type Left } from "./step-files.ts";
import { runProcess } from "./step-process.ts";
import { Surroundings } from "./surroundings.ts";

export class JobRun {
  readonly #options: JobOptions;
  readonly #around: Surroundings;
  readonly #results: StepResult[] = [];
  readonly #posts: Planned[] = [];
  #status: Context["status"] = "success";
  /** The step that runs now, and what it has printed. */
  current: { readonly name: string; readonly output: StepOutput } | undefined;

  constructor(options: JobOptions) {
    this.#options = options;
    this.#around = new Surroundings(options);
    options.cancel.addEventListener("abort", () => (this.#status = "cancelled"), { once: true });
  }

  async run(): Promise<JobResult> {
    const { trackingId } = this.#around;
    try {
      for (const step of this.#options.job.steps) await this.#runStep(await this.#plan(step));
      for (const post of this.#posts.toReversed()) await this.#runStep(post);
    } catch (error) {
      await killOrphans(trackingId);
      throw error;
    }
    const orphans = await killOrphans(trackingId);
    return { outcome: this.#status, steps: this.#results, orphans };
  }

  async #plan(step: Step): Promise<Planned> {
    const name = step.name ?? step.uses ?? step.run?.split("\n")[0] ?? "";
    const condition = step.if ?? "success()";
    const planned = { name, stage: "main", step, condition, state: {} } as const;
    if (step.uses === undefined) return planned;
    if (!step.uses.startsWith("./"))
      throw new Error(`this stand-in fetches no actions: "${step.uses}" must begin with ./`);
    const directory = join(this.#options.directories.work, step.uses);
    return { ...planned, action: { directory, manifest: await readAction(directory) } };
  }

  async #runStep(planned: Planned): Promise<void> {
    const output = new StepOutput(this.#options.masks);
    if (!holds(planned.condition, this.#around.context(this.#status)))
      return this.#record(planned, output, "skipped");
    const { name, stage } = planned;
    this.current = { name: stage === "post" ? `Post ${name}` : name, output };
    const files = await StepFiles.make(this.#options.directories.temp);
    const wasCanceled = this.#options.cancel.aborted;
    const code = await runProcess({
      command: await this.#around.command(planned),
      cwd: this.#options.directories.work,
      env: this.#around.environment(planned, files.env),
      output,
      cancel: wasCanceled ? new AbortController().signal : this.#options.cancel,
    });
    const left = await files.read();
    this.#take(planned, left);
    const canceled = this.#options.cancel.aborted && !wasCanceled;
    const outcome = canceled ? "cancelled" : code === 0 ? "success" : "failure";
    this.#record(planned, output, outcome, left.outputs);
  }

  #take(planned: Planned, left: Left): void {
    this.#around.add(left);
    const manifest = planned.action?.manifest;
    if (!manifest || planned.stage === "post") return;
    const undeclared = Object.keys(left.outputs).filter(
      (output) => !Object.hasOwn(manifest.outputs, output),
    );
    if (undeclared.length > 0) throw new Error(`undeclared outputs: ${undeclared.join(", ")}`);
    const { post, "post-if": condition } = manifest.runs;
    if (post !== undefined)
      this.#posts.push({ ...planned, stage: "post", condition, state: left.state });
  }

  #record(
    { name, stage, step }: Planned,
    { annotations, folds, text: log }: StepOutput,
    outcome: Outcome,
    outputs: StepResult["outputs"] = {},
  ): void {
    this.#results.push({ name, stage, outcome, outputs, annotations, folds, log });
    if (step.id !== undefined && stage === "main") this.#around.name(step.id, { outputs, outcome });
    if (outcome === "failure" && !step["continue-on-error"] && this.#status === "success")
      this.#status = "failure";
  }
}
