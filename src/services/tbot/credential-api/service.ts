import type { AclPolicy } from "#base/kernel";
import { keepServing } from "../keep-serving.ts";
import type { NamedConfiguration, ServiceDependencies } from "../service-type.ts";
import type { Report } from "../supervisor.ts";

export interface CredentialApi {
  readonly configuration: NamedConfiguration &
    Pick<AclPolicy, "readers" | "acls"> & {
      readonly path: string;
      readonly roles: readonly string[];
      readonly max_ttl: string;
    };
  readonly dependencies: ServiceDependencies;
}

/** Serves the socket until the signal aborts; healthy once the bot has an identity to give from. */
export async function credentialApi(
  options: CredentialApi & { readonly signal: AbortSignal; readonly report: Report },
): Promise<void> {
  const { configuration, dependencies, signal } = options;
  await keepServing({
    ...options,
    ...configuration,
    // Bots without sockets do without it.
    routes: async () => (await import("./routes.ts")).credentialRoutes(options),
    onServing: async () => {
      const { path, roles } = configuration;
      dependencies.log.info("serving credentials", { path, roles });
      await dependencies.identity.ready(signal);
    },
  });
}
