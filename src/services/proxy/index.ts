export type { KeyPairFiles } from "./key-pair-files.ts";
export type { PortLimits } from "./limits.ts";
export { Proxy, type ProxyOptions } from "./proxy.ts";
