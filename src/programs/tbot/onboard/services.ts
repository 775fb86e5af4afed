import { attributeOf, flagsOf } from "#base/config";
import { codeOf, messageOf } from "#base/kernel";
import { serviceTypes } from "#services/tbot";
import type { Ask, Choice } from "./ask.ts";
import { askWish, serviceOf, type NamesOf, type ServiceTypeName, type Wish } from "./fields.ts";
import type { Trial } from "./trial.ts";

/** Longer than a person waits; the service goes on trying, and may be kept. */
const SPAWN_TIMEOUT_MS = 20_000;

interface Session {
  readonly ask: Ask;
  readonly trial: Trial;
  readonly namesOf: NamesOf;
  readonly signal: AbortSignal;
}

type Step = { readonly add: ServiceTypeName } | { readonly remove: string } | "done";

/** Until a person has the services that they want, each tried out at once. */
export async function chooseServices(session: Session): Promise<void> {
  for (;;) {
    const step = await nextStep(session);
    if (step === "done") return;
    if ("remove" in step) await leaveOut(step.remove, session);
    else await addService({ type: step.add, answers: {} }, session);
  }
}

async function nextStep({ ask, trial }: Session): Promise<Step> {
  const there = trial.control.statuses().filter(({ spawned }) => spawned);
  const types = Object.entries(serviceTypes) as [ServiceTypeName, { summary: string }][];
  const choices: Choice<Step>[] = [
    ...(there.length > 0 ? [{ value: "done", label: "that is all" } as const] : []),
    ...types.map(([add, { summary }]) => ({ value: { add }, label: add, hint: summary })),
    ...there.map(({ name, state }) => ({
      value: { remove: name },
      label: `remove ${name}`,
      hint: state,
    })),
  ];
  const message = there.length === 0 ? "What should the bot do?" : "What else should it do?";
  return await ask.one({ message, choices });
}

async function addService(first: Wish, session: Session): Promise<void> {
  const { ask } = session;
  for (let wish = first; ;) {
    wish = await askWish(wish, session);
    const tried = await tryOut(wish, session);
    if (tried.good) return ask.say("success", `${tried.name} is healthy.\n${listed(wish)}`);
    ask.say("error", `${tried.name} does not work yet: ${tried.problem}`);
    const next = await whatNow(tried.name, session);
    if (next === "keep") return;
    await leaveOut(tried.name, session);
    if (next === "drop") return;
  }
}

type Tried =
  | { readonly good: true; readonly name: string }
  | { readonly good: false; readonly name: string; readonly problem: string };

/** The real thing: it joins in, and says how it is. */
async function tryOut(wish: Wish, { ask, trial, signal }: Session): Promise<Tried> {
  ask.say("step", `Starting it …`);
  try {
    const options = { timeoutMs: SPAWN_TIMEOUT_MS, signal };
    const { outcome, services } = await trial.control.spawn([serviceOf(wish)], options);
    signal.throwIfAborted();
    const [{ name, reason, state }] = services as [(typeof services)[0]];
    if (outcome === "ready") return { good: true, name };
    return { good: false, name, problem: reason ?? `it is still ${state}` };
  } catch (error) {
    if (codeOf(error) === "canceled") throw error;
    return { good: false, name: wish.type, problem: messageOf(error) };
  }
}

async function whatNow(name: string, { ask, trial }: Session): Promise<"mend" | "keep" | "drop"> {
  const there = trial.control.statuses().some((status) => status.name === name);
  for (;;) {
    const next = await ask.one<"mend" | "keep" | "drop" | "log">({
      message: "What now?",
      choices: [
        { value: "mend", label: "change its settings" },
        ...(there ? [{ value: "keep", label: "keep it", hint: "it goes on trying" } as const] : []),
        { value: "drop", label: "leave it out" },
        { value: "log", label: "show the bot's log" },
      ],
    });
    if (next !== "log") return next;
    ask.show("log", trial.log);
  }
}

async function leaveOut(name: string, { trial }: Session): Promise<void> {
  await trial.control.stop(name).catch((error: unknown) => {
    if (codeOf(error) !== "not_found") throw error;
  });
}

/** What was answered, a line each. */
function listed({ type, answers }: Wish): string {
  return flagsOf(serviceTypes[type].schema)
    .map(({ name, shape }) => ({ name, shape, value: answers[attributeOf(name)] }))
    .filter(({ value, shape }) => value !== undefined && !shape.meta.secret)
    .map(({ name, value }) => `  ${name}: ${String(value)}`)
    .join("\n");
}
