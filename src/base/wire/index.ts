export { parseClientHello, type ClientHello, type ClientHelloParse } from "./client-hello.ts";
export { peekClientHello, type PeekOptions } from "./peek.ts";
