import { codeOf, messageOf } from "#base/kernel";
import { Workflow } from "./workflow.ts";

export interface ActionRun {
  readonly workflow: Workflow;
  /** Aborts when the job is canceled: the runner sends SIGINT, and soon SIGTERM. */
  readonly signal: AbortSignal;
}

/** `failed`: what went wrong is annotated already. */
export type Outcome = "done" | "failed";

/** Runs one part of an action in its process: what it throws becomes an annotation, and fails the step. */
export async function runAction(
  title: string,
  host: NodeJS.Process,
  act: (run: ActionRun) => Promise<Outcome>,
): Promise<void> {
  const stop = new AbortController();
  for (const name of ["SIGINT", "SIGTERM"] as const) host.on(name, () => stop.abort());
  const workflow = new Workflow({ env: host.env, out: host.stdout });
  try {
    const outcome = await act({ workflow, signal: stop.signal });
    host.exitCode = outcome === "done" ? 0 : 1;
  } catch (error) {
    host.exitCode = 1;
    workflow.annotate("error", messageOf(error), title);
    if (codeOf(error) === "internal" && error instanceof Error)
      workflow.fold("Where it came from", error.stack ?? "");
  }
}
