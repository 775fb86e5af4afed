export type { KeyPairFiles } from "./key-pair-files.ts";
export { portLimits, type PortLimits } from "./limits.ts";
export { Proxy, type ProxyOptions } from "./proxy.ts";
export { selfSignedFiles } from "./self-signed.ts";
