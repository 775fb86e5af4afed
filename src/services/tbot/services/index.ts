import { applicationTunnelService } from "./application-tunnel.ts";
import { applicationService } from "./application.ts";
import { botApiService } from "./bot-api.ts";
import { credentialApiService } from "./credential-api.ts";
import { identityService } from "./identity.ts";

/** Every service that a bot can run, by its type: the one list. */
export const serviceTypes = {
  identity: identityService,
  application: applicationService,
  "application-tunnel": applicationTunnelService,
  "bot-api": botApiService,
  "credential-api": credentialApiService,
} as const;
