export { Bot, type BotOptions } from "./bot.ts";
export { makeBoundKey } from "./bound-key.ts";
export { checkConfiguration, type JoinParameters } from "./check.ts";
export {
  botConfiguration,
  completeService,
  serviceList,
  type BotConfiguration,
  type ServiceConfiguration,
} from "./configuration.ts";
export type { BotControl, ControlledStatus } from "./control.ts";
export { enrol, hostFacts, type Enrolled, type Placed } from "./enrol.ts";
export { Diagnostics, type DiagnosticsOptions } from "./diagnostics.ts";
export { generateKinds, generateOutput, type GenerateKind } from "./generate.ts";
export type { HostFacts } from "./host-facts.ts";
export type { Readiness, ServiceStatus } from "./readiness.ts";
export type { SpawnedMemory } from "./spawned-memory.ts";
export { BOT_IDENTITY } from "./names.ts";
export type { BotStorage } from "./storage.ts";
export { isReady } from "./readiness.ts";
export { serviceTypes } from "./services/index.ts";
