import { queryKinds } from "#services/bot-client";
import * as z from "zod";
import { MAX_RESULTS } from "../limits.ts";
import { defineTool } from "../tool.ts";

export const queryResources = defineTool({
  name: "query_resources",
  title: "Find resources",
  description:
    "What the bot's roles open, of one kind: names, labels, descriptions, addresses. A service or a credential for anything else would be refused.",
  input: z.strictObject({
    kind: z.enum(queryKinds),
    labels: z
      .record(z.string(), z.string())
      .default({})
      .meta({ description: "only with all of these labels; * takes any value" }),
  }),
  annotations: { readOnlyHint: true, openWorldHint: true },
  call: async ({ kind, labels }, { api, options }) => {
    const found = await api.query(kind, labels, options);
    const value = { total: found.length, resources: found.slice(0, MAX_RESULTS).map(plain) };
    return { value };
  },
});

/** Without what is empty. */
const plain = (found: object): object =>
  Object.fromEntries(Object.entries(found).filter(([, value]) => value !== ""));
