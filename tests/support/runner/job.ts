// What a job is run with, and what came of it.
import type { Action, Job, Step, WorkflowFile } from "./documents.ts";
import type { Annotation, Fold, Masks } from "./output.ts";

export type Outcome = "success" | "failure" | "cancelled" | "skipped";
export type Stage = "main" | "post";

export interface StepResult {
  readonly name: string;
  readonly stage: Stage;
  readonly outcome: Outcome;
  readonly outputs: Readonly<Record<string, string>>;
  readonly annotations: readonly Annotation[];
  readonly folds: readonly Fold[];
  /** As the page of the job shows it. */
  readonly log: string;
}

export interface JobResult {
  readonly outcome: Exclude<Outcome, "skipped">;
  readonly steps: readonly StepResult[];
  /** What the job left running. */
  readonly orphans: readonly string[];
}

export interface JobOptions {
  readonly workflow: WorkflowFile;
  readonly job: Job;
  /** `work` is the workspace, `temp` RUNNER_TEMP. */
  readonly directories: { readonly work: string; readonly temp: string };
  readonly machine: NodeJS.ProcessEnv;
  /** Over what the workflow says in its own `env`. */
  readonly env: Readonly<Record<string, string>>;
  readonly vars: Readonly<Record<string, string>>;
  readonly secrets: Readonly<Record<string, string>>;
  readonly idToken: { readonly url: string; readonly token: string };
  readonly masks: Masks;
  readonly cancel: AbortSignal;
}

/** A step of the job, or the end of an action that has run. */
export interface Planned {
  readonly name: string;
  readonly stage: Stage;
  readonly step: Step;
  readonly condition: string;
  readonly action?: { readonly directory: string; readonly manifest: Action };
  /** What the action's main part saved. */
  readonly state: Readonly<Record<string, string>>;
}
