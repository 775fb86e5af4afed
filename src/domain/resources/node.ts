import * as z from "zod";
import { hostAndPort } from "./address.ts";
import { defineKind, type Resource } from "./kind.ts";

const spec = z.strictObject({
  hostname: z
    .string()
    .regex(/^[A-Za-z0-9]([A-Za-z0-9.-]{0,251}[A-Za-z0-9])?$/, { error: "must be a host name" })
    .meta({ description: "what people call the machine, such as web-1.example.com" }),
  addr: hostAndPort.meta({ description: "where its SSH server listens, as host:port" }),
});

export type Node = Resource<"node", z.infer<typeof spec>>;

/** A machine that is reached by SSH. */
export const nodeKind = defineKind<Node>({
  kind: "node",
  version: "v1",
  aliases: ["nodes"],
  spec,
  fields: { hostname: (node) => [node.spec.hostname], addr: (node) => [node.spec.addr] },
});
