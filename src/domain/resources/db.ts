import * as z from "zod";
import { hostAndPort } from "./address.ts";
import { defineKind, type Resource } from "./kind.ts";

/** What a database speaks. */
const protocols = ["postgres", "mysql", "mongodb", "cockroachdb"] as const;

const spec = z.strictObject({
  protocol: z.enum(protocols).meta({ description: "what it speaks" }),
  uri: hostAndPort.meta({ description: "where it is, as host:port" }),
});

export type Db = Resource<"db", z.infer<typeof spec>>;

/** A database server. */
export const dbKind = defineKind<Db>({
  kind: "db",
  version: "v1",
  aliases: ["dbs", "database", "databases"],
  spec,
  fields: { protocol: (db) => [db.spec.protocol] },
});
