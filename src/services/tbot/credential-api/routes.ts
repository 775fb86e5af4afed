import { trustToProto } from "#domain/authority";
import type { ConnectRouter } from "@connectrpc/connect";
import { CredentialService } from "@tenon/api/tenon/tbot/v1/credential";
import { certifyFor } from "./certify.ts";
import { rotations } from "./rotations.ts";
import type { CredentialApi } from "./service.ts";

/** What a program may ask on the socket. */
export const credentialRoutes =
  (api: CredentialApi) =>
  (router: ConnectRouter): void =>
    void router.service(CredentialService, {
      generateIdentity: async (request, context) => await certifyFor(api, request, context),
      watchRotation: (_request, { signal }) => rotations(api.dependencies.identity, signal),
      getTrust: () => trustToProto(api.dependencies.identity.trust),
    });
