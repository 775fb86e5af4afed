/** What `import … from "tenon"` gives: docs/guides/library.md. */
export { Bot, type BotSettings } from "./bot.ts";
export { BotClient, type BotClientSettings } from "./bot-client.ts";
export { keepIdentity } from "./keep-identity.ts";
export { CodedError, silentLogger, type ErrorCode, type Logger } from "#base/kernel";
export type { Trust } from "#domain/authority";
export type {
  CredentialSource,
  GeneratedIdentity,
  IdentityRequest,
  KeptIdentity,
} from "#services/bot-client";
export type { ServiceStatus } from "#services/tbot";
