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
export { clusterClient } from "./cluster-client.ts";
export {
  generatedIdentity,
  wantsSsh,
  type CredentialSource,
  type GeneratedIdentity,
  type IdentityRequest,
  type OutputCredentials,
} from "./credentials.ts";
export type { CallOptions } from "./call-options.ts";
export { KeptIdentity, type KeptIdentityOptions } from "./kept-identity.ts";
