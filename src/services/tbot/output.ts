import { generateKeyPair } from "#base/crypto";
import { durationMs } from "#base/config";
import type { Artifact } from "./destinations/destination.ts";
import { openDestination } from "./destinations/index.ts";
import type { DestinationConfiguration } from "./fields.ts";
import type { OutputCredentials } from "#services/bot-client";
import type { CredentialRequest } from "./identity.ts";
import { renew } from "./renewal.ts";
import type { NamedConfiguration, ServiceDependencies } from "./service-type.ts";
import type { Service } from "./supervisor.ts";

interface OutputConfiguration extends NamedConfiguration {
  readonly destination: DestinationConfiguration;
  readonly roles: readonly string[];
  readonly credential_ttl?: string | undefined;
  readonly renewal_interval?: string | undefined;
}

export interface Output {
  readonly configuration: OutputConfiguration;
  readonly dependencies: ServiceDependencies;
  readonly request: Pick<CredentialRequest, "appName" | "allowReissue" | "ssh">;
  /** The files; `where` is the destination as a person would name it. */
  readonly artifacts: (credentials: OutputCredentials, where: string) => readonly Artifact[];
}

/** A service that keeps the credentials in a destination fresh. */
export function outputService(output: Output): Service {
  const { configuration, dependencies } = output;
  return {
    name: configuration.name,
    type: configuration.type,
    run: async ({ signal, report }) => {
      const destination = openDestination(configuration.destination, dependencies);
      // One key for the life of the service: a reader never pairs a new certificate with an old key.
      const key = generateKeyPair("ecdsa-p256");
      await renew({
        configuration,
        dependencies,
        signal,
        report,
        task: "renew",
        prepare: () => destination.prepare(),
        run: async () => {
          const credentials = await dependencies.identity.issue(
            { ...requestOf(output), key },
            signal,
          );
          await destination.write(output.artifacts(credentials, destination.toString()));
          dependencies.log.info("wrote credentials", {
            destination: destination.toString(),
            expires: new Date(credentials.expires).toISOString(),
          });
          return credentials.expires;
        },
      });
    },
  };
}

function requestOf({
  configuration,
  dependencies,
  request,
}: Output): Omit<CredentialRequest, "key"> {
  const { credential_ttl: ttl, roles } = configuration;
  return {
    ...request,
    roles,
    ttlMs: ttl === undefined ? dependencies.defaults.credentialTtlMs : durationMs(ttl),
  };
}
