import type { CommandIo } from "#base/cli";
import { jsonSchemaOf } from "#base/config";
import { kinds } from "#domain/resources";
import type { Command } from "commander";
import { parseReferences } from "../references.ts";
import { anyKind } from "../schemas.ts";

/** Needs no cluster: the schemas are this program's own. */
export function defineSchema(command: Command, io: CommandIo): void {
  command.argument("[kind]", "kind of resource; without it, a schema of all kinds together");
  command.action((text: string | undefined) => {
    const kind = text === undefined ? undefined : parseReferences(text)[0]!.kind;
    const schema = kind === undefined ? anyKind() : kinds[kind].schema;
    const made = jsonSchemaOf(schema, { title: `Tenon ${kind ?? "resource"}` });
    io.stdout.write(`${JSON.stringify(made, null, 2)}\n`);
  });
}
