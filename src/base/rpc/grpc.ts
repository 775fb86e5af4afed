import type * as grpc from "@grpc/grpc-js";

/** The library, typed. It takes tens of milliseconds to load, so only those who call load it. */
export type Grpc = typeof grpc.default;

/** The default export is the whole CommonJS package, also in a bundle, which has no other names of it. */
export const loadGrpc = async (): Promise<Grpc> => (await import("@grpc/grpc-js")).default;
