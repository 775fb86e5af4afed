export type { Caller, HostIdentity, UserIdentity } from "./identity.ts";
