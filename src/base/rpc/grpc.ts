import type * as grpc from "@grpc/grpc-js";

/** The library, typed. It takes tens of milliseconds to load, so only those who call load it. */
export type Grpc = typeof grpc;

export const loadGrpc = (): Promise<Grpc> => import("@grpc/grpc-js");
