export { ANNOUNCEMENT_TTL_MS } from "./apps-service.ts";
export { STRANGER_LIMITS, type AddressLimits } from "./address-limit.ts";
export type { AuthConfig } from "./parts.ts";
export { createAuthServer, type AuthServer, type AuthServerOptions } from "./server.ts";
export { callerKinds, rpcTable, type CallerKind, type RpcRule } from "./table.ts";
