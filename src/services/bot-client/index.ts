export {
  BotApiClient,
  queryKinds,
  type Found,
  type QueryKind,
  type RemoteEvent,
  type RemoteStatus,
  type SpawnOutcome,
  type SpawnRequest,
} from "./bot-api-client.ts";
export { BotClient, type BotClientOptions } from "./bot-client.ts";
export type {
  CredentialSource,
  GeneratedIdentity,
  IdentityRequest,
  OutputCredentials,
} from "./credentials.ts";
export type { CallOptions } from "./call-options.ts";
