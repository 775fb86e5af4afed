import * as z from "zod";
import { defineKind, type Resource } from "./kind.ts";

const spec = z.strictObject({
  uri: z
    .url({
      protocol: /^(https?|tcp)$/,
      error: "must be an http://, https:// or tcp:// address",
    })
    .meta({ description: "as the agent reaches it, such as http://localhost:8080" }),
  public_addr: z.string().optional().meta({
    description: "host name under which the proxy serves it; default: name.cluster",
  }),
  host_id: z.string().meta({ description: "the agent that serves it" }),
});

export type App = Resource<"app", z.infer<typeof spec>>;

/** Stored as `<app>:<host>`: several agents may serve one application. */
export const appName = (app: App): string => app.metadata.name.split(":")[0]!;
export const appResourceName = (name: string, hostId: string): string => `${name}:${hostId}`;

/** One DNS label, because it becomes a host name under the cluster's domain. */
export const appNamePattern = /^[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?$/;

export const appKind = defineKind<App>({
  kind: "app",
  version: "v1",
  aliases: ["apps", "application", "applications"],
  name: z.string().regex(/^[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?:[0-9a-f-]{36}$/),
  spec,
  writable: "server",
  fields: { app: (app) => [appName(app)], host_id: (app) => [app.spec.host_id] },
  indexes: [
    { name: "app", version: 1, key: (app) => [appName(app)] },
    { name: "host_id", version: 1, key: (app) => [app.spec.host_id] },
  ],
});
