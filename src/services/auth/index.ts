export type { AddressLimits } from "./address-limit.ts";
export { createAuthServer, type AuthServer } from "./server.ts";
export { rpcTable } from "./table.ts";
