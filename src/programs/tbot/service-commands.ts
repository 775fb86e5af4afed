import { UsageError } from "#base/cli";
import { addFlags, flagsOf, flagTree, parseTree, valueTree, type Flag } from "#base/config";
import { serviceTypes, type ServiceConfiguration } from "#services/tbot";
import type { Command } from "commander";

type Options = Readonly<Record<string, unknown>>;
type Schema = (typeof serviceTypes)[keyof typeof serviceTypes]["schema"];

interface Given {
  readonly child: Command;
  /** The first argument. */
  readonly argument: string | undefined;
  /** What the flags say; `subject` is what the service is about, given without its flag. */
  readonly service: (options: Options, subject?: string) => ServiceConfiguration;
}

export interface ServiceCommand {
  /** What the command has beside the flags of its service. */
  readonly prepare: (child: Command, subject: Flag | undefined) => void;
  readonly act: (given: Given) => Promise<void>;
}

/** A subcommand for each type of service that a bot can run, with that service's flags and aliases. */
export function addServiceCommands(command: Command, { prepare, act }: ServiceCommand): void {
  for (const [type, { schema, summary }] of Object.entries(serviceTypes)) {
    const child = command.command(type).summary(summary).description(summary);
    for (const alias of aliasesOf(schema)) child.alias(alias);
    prepare(child, subjectOf(schema));
    addFlags(child, schema);
    const service: Given["service"] = (options, subject) =>
      serviceOf({ type, schema, options, subject });
    child.action(async (argument: unknown) => {
      await act({ child, service, argument: typeof argument === "string" ? argument : undefined });
    });
  }
}

/** Every type of service, and its other spellings. */
export const serviceWords = (): string[] =>
  Object.entries(serviceTypes).flatMap(([type, { schema }]) => [type, ...aliasesOf(schema)]);

const aliasesOf = (schema: Schema): string[] =>
  Object.keys(schema.shape.type.meta()?.valueAliases ?? {});

function serviceOf(given: {
  type: string;
  schema: Schema;
  options: Options;
  subject: string | undefined;
}): ServiceConfiguration {
  const { type, schema, options, subject } = given;
  const flags = flagTree(schema, options);
  const trees = [flags, valueTree({ type })];
  const field = subjectOf(schema);
  if (subject !== undefined && field) {
    if (flags.entries.has(field.path[0]!))
      throw new UsageError(`"${subject}" is given twice: as an argument and as --${field.name}`);
    trees.push(valueTree({ [field.path[0]!]: subject }));
  }
  return parseTree({ trees, what: "the command line", schema });
}

/** The flag of the one thing that a service is about, such as `--app-name`. */
const subjectOf = (schema: Schema): Flag | undefined =>
  flagsOf(schema).find(({ shape }) => shape.meta.subject);
