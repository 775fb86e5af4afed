export type { ClientHello } from "./client-hello.ts";
export { getJson, type GetJsonOptions } from "./get-json.ts";
export { MuxClient, type OpenRequest } from "./mux-client.ts";
export type { MuxOptions } from "./mux-options.ts";
export { MuxServer, type MuxHandler, type MuxRequest } from "./mux-server.ts";
export type { MuxSession } from "./mux-session.ts";
export { peekClientHello, type PeekOptions } from "./peek.ts";
export { cut, pipeDuplex, type PipeCounts } from "./pipe.ts";
