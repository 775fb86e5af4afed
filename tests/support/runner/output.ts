// What a step prints: its log, with the commands in it obeyed.

export interface Annotation {
  readonly level: string;
  readonly title: string;
  readonly message: string;
}

export interface Fold {
  readonly title: string;
  readonly lines: string[];
}

/** What must not show in any log of the job. */
export class Masks {
  readonly #secrets = new Set<string>();

  add(secret: string): void {
    if (secret.trim() !== "") this.#secrets.add(secret);
  }

  apply(text: string): string {
    const longestFirst = [...this.#secrets].toSorted((a, b) => b.length - a.length);
    return longestFirst.reduce((masked, secret) => masked.replaceAll(secret, "***"), text);
  }
}

/** Those that only print, for this stand-in as for the page of a job. */
const levels = new Set(["error", "warning", "notice", "debug"]);
/** Runners stopped obeying these; the files took their place. */
const gone = new Set(["set-output", "save-state", "set-env", "add-path"]);

export class StepOutput {
  readonly lines: string[] = [];
  readonly annotations: Annotation[] = [];
  readonly folds: Fold[] = [];
  readonly #masks: Masks;
  readonly #partial = { out: "", err: "" };
  #fold: Fold | undefined;
  /** Commands are text until this one. */
  #resume: string | undefined;

  constructor(masks: Masks) {
    this.#masks = masks;
  }

  get text(): string {
    return this.lines.join("\n");
  }

  feed(side: "out" | "err", chunk: string): void {
    const lines = (this.#partial[side] + chunk).split("\n");
    this.#partial[side] = lines.pop()!;
    for (const line of lines) this.#line(line);
  }

  end(): void {
    for (const side of ["out", "err"] as const)
      if (this.#partial[side] !== "") this.#line(this.#partial[side]);
  }

  #line(line: string): void {
    const [, name, properties = "", data = ""] =
      /^\s*::([A-Za-z0-9_-]+)(?: (.*?))?::(.*)$/.exec(line) ?? [];
    if (name !== undefined && this.#obey(name, propertiesOf(properties), unescape(data))) return;
    const shown = this.#masks.apply(line);
    this.lines.push(shown);
    this.#fold?.lines.push(shown);
  }

  /** Whether it was a command. */
  #obey(name: string, properties: Readonly<Record<string, string>>, data: string): boolean {
    if (this.#resume !== undefined) {
      if (name !== this.#resume) return false;
      this.#resume = undefined;
    } else if (gone.has(name)) throw new Error(`runners no longer obey ::${name}::`);
    else if (levels.has(name)) this.#annotate(name, properties, data);
    else if (name === "add-mask") this.#masks.add(data);
    else if (name === "stop-commands") this.#resume = data;
    else if (name === "group") this.folds.push((this.#fold = { title: data, lines: [] }));
    else if (name === "endgroup") this.#fold = undefined;
    else return false;
    return true;
  }

  #annotate(level: string, { title = "" }: Readonly<Record<string, string>>, data: string): void {
    const message = this.#masks.apply(data);
    this.annotations.push({ level, title, message });
    this.lines.push(`${level}: ${message}`);
  }
}

function propertiesOf(text: string): Record<string, string> {
  const pairs = text.split(",").map((pair) => pair.split(/=(.*)/s));
  return Object.fromEntries(
    pairs.map(([key = "", value = ""]) => [
      key.trim(),
      unescape(value.replaceAll("%3A", ":").replaceAll("%2C", ",")),
    ]),
  );
}

const unescape = (text: string): string =>
  text.replaceAll("%0D", "\r").replaceAll("%0A", "\n").replaceAll("%25", "%");
