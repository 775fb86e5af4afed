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
    const { shortName } = serviceTypes[configuration.type];
    const name = configuration.name ?? freeName(shortName, names);
    names.add(name);
    return { ...configuration, name };
  });
}

function freeName(base: string, taken: ReadonlySet<string | undefined>): string {
  for (let number = 1; ; number++) {
    if (!taken.has(`${base}-${number}`)) return `${base}-${number}`;
  }
}
