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
  const names = new Set(services.map(({ name }) => name));
  return services.map((configuration) => {
    const named = nameService(configuration, (name) => names.has(name));
    names.add(named.name);
    return named;
  });
}

/** One service among others that have their names. */
export function nameService<S extends Nameable>(
  configuration: S,
  isTaken: (name: string) => boolean,
): S & NamedConfiguration {
  const { shortName } = serviceTypes[configuration.type];
  return { ...configuration, name: configuration.name ?? freeName(shortName, isTaken) };
}

function freeName(base: string, isTaken: (name: string) => boolean): string {
  for (let number = 1; ; number++) {
    if (!isTaken(`${base}-${number}`)) return `${base}-${number}`;
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
