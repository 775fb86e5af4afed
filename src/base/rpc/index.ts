export { RpcChannel } from "./client.ts";
export type { RpcLimits } from "./limits.ts";
export { LocalCalls, type LocalOrigin } from "./local-call.ts";
export { createRpcServer, type RpcServer } from "./server.ts";
export {
  bindService,
  type Around,
  type BoundService,
  type Handlers,
  type RpcContext,
} from "./service.ts";
export type { RpcTls } from "./target.ts";
export { isUntrustedServer } from "./unreachable.ts";
export { CODE_TRAILER, codeOfStatus, errorForCaller, statusNumbers } from "./status.ts";
export { checkLength, clearSocketPath, listenUnix } from "./unix.ts";
