import * as clack from "@clack/prompts";
import { canceled } from "#base/kernel";
import type { Readable, Writable } from "node:stream";

/** Where a person types and reads. */
export interface Screen {
  readonly input: Readable;
  readonly output: Writable;
  /** Aborts when the program is asked to end. */
  readonly signal: AbortSignal;
}

export interface Choice<Value> {
  readonly value: Value;
  readonly label: string;
  readonly hint?: string;
}

/** What is wrong with an answer, or nothing. */
export type Check = (answer: string) => string | undefined;

interface Question {
  readonly message: string;
}

interface TextQuestion extends Question {
  readonly example?: string;
  /** What stands there already, to be changed. */
  readonly before?: string;
  readonly check?: Check;
}

interface ChoiceQuestion<Value> extends Question {
  readonly choices: readonly Choice<Value>[];
  readonly before?: Value;
}

interface NameQuestion extends Question {
  readonly names: readonly string[];
  readonly before?: string;
}

/** Ctrl-D ends the library's line reader without an answer. */
const END_OF_INPUT = "\u0004";
/** More lines than this are scrolled. */
const MAX_LINES = 12;

/** Questions on a terminal. Ctrl-C, Escape, Ctrl-D and the signal reject with `canceled`. */
export class Ask {
  readonly #screen: Screen;

  constructor(screen: Screen) {
    this.#screen = screen;
  }

  async text({ message, example, before, check }: TextQuestion): Promise<string> {
    return await this.#answer((common) =>
      clack.text({
        ...common,
        message,
        ...(example === undefined ? {} : { placeholder: example }),
        ...(before === undefined ? {} : { initialValue: before }),
        validate: (value = "") => check?.(value.trim()),
      }),
    ).then((text = "") => text.trim());
  }

  /** What is typed is not shown, not even how long it is. */
  async secret({ message, check }: Question & { check?: Check }): Promise<string> {
    return await this.#answer((common) =>
      clack.password({
        ...common,
        message,
        mask: "",
        clearOnError: true,
        validate: (value = "") => check?.(value.trim()),
      }),
    ).then((text = "") => text.trim());
  }

  async yes({ message, before = true }: Question & { before?: boolean }): Promise<boolean> {
    return await this.#answer((common) =>
      clack.confirm({ ...common, message, initialValue: before }),
    );
  }

  async one<Value>({ message, choices, before }: ChoiceQuestion<Value>): Promise<Value> {
    const index = await this.#answer((common) =>
      clack.select({ ...common, ...optionsOf(choices, before), message, maxItems: MAX_LINES }),
    );
    return choices[index]!.value;
  }

  /** One of these names, which typing narrows, or another one that is typed. */
  async name({ message, names, before }: NameQuestion): Promise<string> {
    return await this.#answer((common) =>
      clack.autocomplete({
        ...common,
        message,
        options() {
          const typed = this.userInput.trim();
          const known = names.map((name) => ({ value: name, label: name }));
          if (typed === "" || names.includes(typed)) return known;
          return [...known, { value: typed, label: typed, hint: "not among those there are" }];
        },
        maxItems: MAX_LINES,
        placeholder: "type to search",
        validate: (value) => (value === undefined ? "choose a name, or type one" : undefined),
        ...(before !== undefined && names.includes(before) ? { initialValue: before } : {}),
      }),
    );
  }

  async some<Value>({ message, choices }: ChoiceQuestion<Value>): Promise<readonly Value[]> {
    const indices = await this.#answer((common) =>
      clack.multiselect({ ...common, ...optionsOf(choices), message, required: false }),
    );
    return indices.map((index) => choices[index]!.value);
  }

  begin(title: string): void {
    clack.intro(title, this.#screen);
  }

  end(text: string): void {
    clack.outro(text, this.#screen);
  }

  say(kind: "info" | "step" | "success" | "warn" | "error", text: string): void {
    clack.log[kind](text, this.#screen);
  }

  /** Something to read or copy, in a frame. */
  show(title: string, text: string): void {
    clack.note(text, title, { ...this.#screen, format: (line) => line });
  }

  async #answer<Value>(
    ask: (common: clack.CommonOptions) => Promise<Value | typeof clack.CANCEL_SYMBOL>,
  ): Promise<Value> {
    const { input, output, signal } = this.#screen;
    const ended = new AbortController();
    const end = (): void => ended.abort();
    const look = (data: Buffer | string): void => void (String(data) === END_OF_INPUT && end());
    input.on("data", look).once("end", end);
    try {
      const answer = await ask({ input, output, signal: AbortSignal.any([signal, ended.signal]) });
      if (clack.isCancel(answer)) throw canceled("stopped");
      return answer;
    } finally {
      input.off("data", look).off("end", end);
    }
  }
}

/** The library tells options apart by their values: here their places in the list. */
function optionsOf<Value>(
  choices: readonly Choice<Value>[],
  before?: Value,
): { options: { value: number; label: string; hint?: string }[]; initialValue?: number } {
  const initial = before === undefined ? -1 : choices.findIndex(({ value }) => value === before);
  return {
    options: choices.map(({ label, hint }, value) => ({
      value,
      label,
      ...(hint === undefined ? {} : { hint }),
    })),
    ...(initial < 0 ? {} : { initialValue: initial }),
  };
}
