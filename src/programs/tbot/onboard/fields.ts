import {
  attributeOf,
  faultsOf,
  flagsOf,
  flagTree,
  parseTree,
  valueTree,
  type Flag,
  type FlagOptions,
} from "#base/config";
import { serviceTypes, type ServiceConfiguration } from "#services/tbot";
import type { Ask } from "./ask.ts";

export type ServiceTypeName = keyof typeof serviceTypes;

/** What a person wants a service to be: its type, and each answer as its flag would have it. */
export interface Wish {
  readonly type: ServiceTypeName;
  readonly answers: FlagOptions;
}

/** Names of what can be reached, for fields that name such a thing: `apps`. */
export type NamesOf = (kind: string) => Promise<readonly string[]>;

/** The service that the answers make; faults name the flags. */
export function serviceOf({ type, answers }: Wish): ServiceConfiguration {
  const { schema } = serviceTypes[type];
  const trees = [flagTree(schema, answers), valueTree({ type })];
  return parseTree({ trees, what: "the answers", schema });
}

/**
 * Asks for what a service of this type needs, and for as much of the rest as is wanted. The questions
 * are the flags of its command, so a new field is asked for without further code.
 */
export async function askWish(
  wish: Wish,
  { ask, namesOf }: { ask: Ask; namesOf: NamesOf },
): Promise<Wish> {
  const flags = flagsOf(serviceTypes[wish.type].schema);
  const answered = (flag: Flag): boolean => attributeOf(flag.name) in wish.answers;
  const asked = flags.filter((flag) => flag.shape.required || answered(flag));
  const answers = { ...wish.answers };
  const answer = async (flag: Flag): Promise<void> => {
    const given = await new Field(flag, { ...wish, answers }).ask(ask, namesOf);
    if (given === undefined) delete answers[attributeOf(flag.name)];
    else answers[attributeOf(flag.name)] = given;
  };
  for (const flag of asked) await answer(flag);
  for (const flag of await askForMore(flags, { asked, ask })) await answer(flag);
  return { ...wish, answers };
}

async function askForMore(
  flags: readonly Flag[],
  { asked, ask }: { asked: readonly Flag[]; ask: Ask },
): Promise<readonly Flag[]> {
  const more = flags.filter((flag) => !asked.includes(flag));
  if (more.length === 0) return [];
  return await ask.some({
    message: "Anything else to set? (Enter for no)",
    choices: more.map((flag) => ({ value: flag, label: flag.name, ...hintOf(flag) })),
  });
}

/** One question. */
class Field {
  readonly #flag: Flag;
  readonly #wish: Wish;

  constructor(flag: Flag, wish: Wish) {
    this.#flag = flag;
    this.#wish = wish;
  }

  /** As commander would have it: texts, a switch's state, or nothing. */
  async ask(ask: Ask, namesOf: NamesOf): Promise<unknown> {
    const { shape, kind } = this.#flag;
    const message = this.#message;
    const before = this.#before;
    if (kind === "switch") return await ask.yes({ message, before: shape.default !== true });
    if (shape.type === "enum") {
      const choices = shape.values.map((value) => ({ value, label: value }));
      return [await ask.one({ message, choices, before: before ?? String(shape.default) })];
    }
    const name = await this.#askName(ask, namesOf);
    if (name !== undefined) return [name];
    const question = { message, check: (text: string) => this.#problemOf(text) };
    const text = shape.meta.secret
      ? await ask.secret(question)
      : await ask.text({ ...question, ...(before === undefined ? {} : { before }) });
    return text === "" ? undefined : [text];
  }

  /** Where the cluster says what there is, one of that; `undefined` for what is to be typed. */
  async #askName(ask: Ask, namesOf: NamesOf): Promise<string | undefined> {
    const { resource } = this.#flag.shape.meta;
    const names = resource === undefined ? [] : await namesOf(resource);
    if (names.length === 0) return undefined;
    const before = this.#before;
    return await ask.name({
      message: this.#message,
      names,
      ...(before === undefined ? {} : { before }),
    });
  }

  get #message(): string {
    const { name, shape } = this.#flag;
    return shape.meta.description ?? name;
  }

  get #before(): string | undefined {
    const given = this.#wish.answers[attributeOf(this.#flag.name)];
    return Array.isArray(given) ? given.join(",") : undefined;
  }

  #problemOf(text: string): string | undefined {
    const { name, shape } = this.#flag;
    if (text === "") return shape.required ? `${name} is required` : undefined;
    const answers = { ...this.#wish.answers, [attributeOf(name)]: [text] };
    try {
      serviceOf({ ...this.#wish, answers });
      return undefined;
    } catch (error) {
      return faultsOf(error).find(({ place }) => place.text === `--${name}`)?.problem;
    }
  }
}

function hintOf({ shape: { meta } }: Flag): { hint?: string } {
  return meta.description === undefined ? {} : { hint: meta.description };
}
