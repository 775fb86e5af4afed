export { createRpcClient, RpcChannel, type RpcClient, type RpcClientOptions } from "./client.ts";
export type { CallOptions } from "./client-call.ts";
export type { BidiCall } from "./client-stream.ts";
export { defaultRpcLimits, type RpcLimits } from "./limits.ts";
export { createRpcServer, type RpcServer, type RpcServerOptions } from "./server.ts";
export {
  bindService,
  type Around,
  type BoundService,
  type Handlers,
  type RpcContext,
} from "./service.ts";
export type { RpcTarget, RpcTls } from "./target.ts";
