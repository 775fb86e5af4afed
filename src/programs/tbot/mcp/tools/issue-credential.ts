import { parseValue } from "#base/config";
import type { Logger } from "#base/kernel";
import type { CredentialSource } from "#services/bot-client";
import { generateKinds, generateOutput, type GenerateKind } from "#services/tbot";
import { join } from "node:path";
import * as z from "zod";
import { defineTool, type Tool } from "../tool.ts";

/** What issues credentials, and where they are written. */
export interface Issuing {
  readonly source: CredentialSource;
  /** Only its owner can enter it. */
  readonly directory: () => Promise<string>;
  readonly log: Logger;
}

const kinds = Object.keys(generateKinds) as GenerateKind[];
const schemaOf = (kind: GenerateKind): z.ZodObject => generateKinds[kind].schema;

/** As `tbot generate` takes it, but for where to write: that is not the agent's to say. */
const [first, ...others] = kinds.map((kind) =>
  schemaOf(kind)
    .omit({ out: true })
    .extend({ kind: z.literal(kind) }),
);

const input = z.strictObject({
  credential: z.discriminatedUnion("kind", [first!, ...others]),
  name: z
    .string()
    .regex(/^[A-Za-z0-9][\w.-]{0,63}$/, {
      error: "must be up to 64 letters, digits and _ . -, and begin with a letter or digit",
    })
    .optional()
    .meta({ description: "of the directory for it; the same name replaces; default: its kind" }),
});

export const issueCredential = ({ source, directory, log }: Issuing): Tool =>
  defineTool({
    name: "issue_credential",
    title: "Issue a short-lived credential",
    description:
      "Writes a private key and certificates for this machine's identity, or for one application, database or Kubernetes cluster, to files that only this user can read; answers with their paths and their end, never with what is in them. Nothing renews them: ask again.",
    input,
    annotations: { readOnlyHint: false, destructiveHint: false, openWorldHint: true },
    call: async ({ credential, name }, { options: { signal } }) => {
      // One of the schemas above has read it.
      const { kind, ...rest } = credential as { readonly kind: GenerateKind };
      const path = join(await directory(), name ?? kind);
      const value = { ...rest, out: path };
      const options = parseValue({ value, what: "credential", schema: schemaOf(kind) });
      // Of the schema that the kind has.
      const wanted = { kind, options: options as never, source, signal, log };
      const issued = await generateOutput(wanted);
      const files = issued.names.map((file) => join(path, file));
      return { value: { files, expires: new Date(issued.expires).toISOString() } };
    },
  });
