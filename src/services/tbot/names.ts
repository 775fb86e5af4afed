import type { NamedConfiguration } from "./service-type.ts";
import { serviceTypes } from "./services/index.ts";

/** The name under which the bot's own identity stands in readiness and metrics. */
export const BOT_IDENTITY = "bot-identity";

interface Nameable {
  readonly type: keyof typeof serviceTypes;
  readonly name?: string | undefined;
}

/** Gives every service its name: its own, or its short type and the first free number. */
export function nameServices<S extends Nameable>(
  services: readonly S[],
): (S & NamedConfiguration)[] {
  const taken = new TakenNames(services.map(({ name }) => name));
  return services.map((configuration) => {
    const named = taken.named(configuration);
    taken.add(named.name);
    return named;
  });
}

/** The names that are taken, and with them the next one that is free. */
export class TakenNames {
  readonly #names: Set<string | undefined>;
  /** By short type: below this number none is free. */
  readonly #from = new Map<string, number>();

  constructor(names: Iterable<string | undefined> = []) {
    this.#names = new Set(names);
  }

  add(name: string): void {
    this.#names.add(name);
  }

  remove(name: string): void {
    this.#names.delete(name);
    const [, base = "", number] = /^(.+)-(\d+)$/.exec(name) ?? [];
    if (number !== undefined)
      this.#from.set(base, Math.min(Number(number), this.#from.get(base) ?? 1));
  }

  /** With its own name, or the one that it would get now. */
  named<S extends Nameable>(configuration: S): S & NamedConfiguration {
    const { shortName } = serviceTypes[configuration.type];
    return { ...configuration, name: configuration.name ?? this.#free(shortName) };
  }

  #free(base: string): string {
    let number = this.#from.get(base) ?? 1;
    while (this.#names.has(`${base}-${number}`)) number++;
    this.#from.set(base, number);
    return `${base}-${number}`;
  }
}

type TypeName = keyof typeof serviceTypes;

export const typeNames = Object.keys(serviceTypes) as readonly TypeName[];

/** The type that is meant by one of its spellings. */
export function canonicalType(written: string): TypeName | undefined {
  return typeNames.find((type) => {
    const aliases = serviceTypes[type].schema.shape.type.meta()?.valueAliases ?? {};
    return type === written || aliases[written] === type;
  });
}
