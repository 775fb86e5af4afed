// The pages of docs/reference, made from the command trees and the schemas that the programs run on.
import { commandTree, type CommandIo, type Program } from "#base/cli";
import { referenceOf, sentence } from "#base/config";
import { kinds } from "#domain/resources";
import { botConfiguration } from "#services/tbot";
import type { Argument, Command, Option } from "commander";
import { tbot } from "../src/programs/tbot/program.ts";
import { tctl } from "../src/programs/tctl/program.ts";
import { configuration as tenonConfiguration } from "../src/programs/tenon/configuration.ts";
import { program as tenon } from "../src/programs/tenon/program.ts";

const GENERATED = "<!-- Made by `npm run generate`; change the code that it describes. -->\n";

/** File name to content of every page. */
export async function referencePages(): Promise<ReadonlyMap<string, string>> {
  const pages = new Map<string, string>();
  for (const program of [tenon, tbot, tctl])
    pages.set(`${program.name}.md`, await programPage(program));
  pages.set("tenon.yaml.md", filePage("tenon.yaml", tenonFile, tenonConfiguration));
  pages.set("tbot.yaml.md", filePage("tbot.yaml", tbotFile, botConfiguration));
  pages.set("resources.md", resourcesPage());
  pages.set("README.md", indexPage([...pages]));
  return pages;
}

const tenonFile =
  "What `tenon start -c tenon.yaml` reads; `tenon validate` checks it, and `tenon schema` prints its JSON Schema for editors.";
const tbotFile =
  "What `tbot start -c tbot.yaml` reads; `tbot configure` prints one, `tbot validate` checks it, and `tbot schema` prints its JSON Schema for editors.";

const scalars =
  "A duration is written like `30s`, `20m`, `1h30m` or `7d`, a time like `2026-01-31T12:00:00Z` (RFC 3339).";

async function programPage(program: Program): Promise<string> {
  const root = await commandTree(program, silentIo, () => true);
  const examples = program.examples.replace(/^Examples:\n/, "").trimEnd();
  const parts = [
    `${GENERATED}\n# ${program.name}\n\n${program.description}\n`,
    optionTable(root, undefined),
    `\`\`\`console\n${examples.replaceAll(/^ {2}/gm, "")}\n\`\`\`\n`,
    ...root.commands.flatMap((command) => commandParts(command, [program.name], undefined)),
  ];
  return joined(parts);
}

/** A part for the command and each below it; one that takes what an earlier one takes only says so. */
function commandParts(
  command: Command,
  above: readonly string[],
  parent: Command | undefined,
): string[] {
  if (command.name() === "help") return [];
  const path = [...above, command.name()];
  const heading = `${"#".repeat(Math.min(path.length, 4))} ${path.join(" ")}\n`;
  const about = `${sentence(command.description())}\n`;
  const aliases = command.aliases().map((alias) => code(alias));
  const twin = twinOf(command);
  if (twin) return [heading, about, `It takes what \`${[...above, twin].join(" ")}\` takes.\n`];
  const callable = command.commands.length === 0 || command.registeredArguments.length > 0;
  return [
    heading,
    about,
    aliases.length > 0 ? `Also written ${aliases.join(", ")}.\n` : "",
    callable ? `\`\`\`text\n${[...above, usageOf(command)].join(" ")}\n\`\`\`\n` : "",
    argumentTable(command.registeredArguments),
    optionTable(command, parent),
    ...command.commands.flatMap((child) => commandParts(child, path, command)),
  ];
}

/** The name of an earlier neighbour with the same flags, arguments and subcommands, if it has many. */
function twinOf(command: Command): string | undefined {
  const neighbours = command.parent?.commands ?? [];
  const earlier = neighbours.slice(0, neighbours.indexOf(command));
  const own = signatureOf(command);
  const many = command.options.length > 5;
  return many ? earlier.find((each) => signatureOf(each) === own)?.name() : undefined;
}

const signatureOf = (command: Command): string =>
  JSON.stringify([
    command.options.map(({ flags, description }) => [flags, description]),
    command.registeredArguments.map(argumentTerm),
    command.commands.map((child) => [child.name(), signatureOf(child)]),
  ]);

const usageOf = (command: Command): string =>
  [command.name(), "[options]", ...command.registeredArguments.map(argumentTerm)].join(" ");

function argumentTerm(argument: Argument): string {
  const name = argument.name() + (argument.variadic ? "..." : "");
  return argument.required ? `<${name}>` : `[${name}]`;
}

function argumentTable(list: readonly Argument[]): string {
  const rows = list.map((each) => [code(argumentTerm(each)), sentence(each.description)] as const);
  return table(["argument", "meaning"], rows);
}

/** The flags that a service's own command shares with `start` stand with `start` alone. */
function optionTable(command: Command, parent: Command | undefined): string {
  const shown = (of: Command): readonly Option[] => of.options.filter((option) => !option.hidden);
  const above = new Set((parent ? shown(parent) : []).map((option) => option.flags));
  const own = shown(command).filter((option) => !above.has(option.flags));
  const rows = own.map((option) => [code(option.flags), sentence(meaningOf(option))] as const);
  const shared = own.length < shown(command).length;
  const more = shared ? `And the flags of \`${parent?.name()}\`.\n` : "";
  return [table(["flag", "meaning"], rows), more].filter(Boolean).join("\n");
}

function meaningOf({ description, argChoices, defaultValue, mandatory }: Option): string {
  const notes = [
    ...(mandatory ? ["required"] : []),
    ...(argChoices ? [`one of ${argChoices.join(", ")}`] : []),
    ...(typeof defaultValue === "string" ? [`default ${defaultValue}`] : []),
  ];
  return notes.length > 0 ? `${description} (${notes.join("; ")})` : description;
}

function filePage(name: string, about: string, schema: Parameters<typeof referenceOf>[0]): string {
  return joined([
    `${GENERATED}\n# ${name}\n`,
    `${about} ${scalars}\n`,
    referenceOf(schema, { level: 2 }),
  ]);
}

function resourcesPage(): string {
  const about = `Every resource is a document with \`kind\`, \`version\`, \`metadata\`, \`spec\`, and a \`status\` that belongs to the server: what is written there is dropped. \`tctl create -f\` takes them as YAML or JSON, \`tctl get --format yaml\` gives them, \`tctl schema KIND\` prints the JSON Schema of one. ${scalars}`;
  const parts = Object.values(kinds).flatMap(({ kind, version, aliases, writable, schema }) => [
    `## ${kind}\n`,
    `Version \`${version}\`. Also written ${aliases.map(code).join(", ")}.${writable === "server" ? " Only the server writes it." : ""}\n`,
    referenceOf(schema, { level: 3, only: ["spec", "status"] }),
  ]);
  const envelope = referenceOf(kinds.user.schema, { only: ["metadata"] });
  return joined([
    `${GENERATED}\n# Resources\n`,
    `${about}\n`,
    "## Every kind\n",
    envelope,
    ...parts,
  ]);
}

function indexPage(pages: readonly (readonly [name: string, text: string])[]): string {
  const links = pages.map(([name, text]) => `- [${/^# (.+)$/m.exec(text)?.[1]}](${name})`);
  return joined([`${GENERATED}\n# Reference\n`, `${links.join("\n")}\n`]);
}

function table(heads: readonly string[], rows: readonly (readonly string[])[]): string {
  if (rows.length === 0) return "";
  const line = (cells: readonly string[]): string =>
    `| ${cells.map((cell) => cell.replaceAll("|", "\\|")).join(" | ")} |\n`;
  return line(heads) + line(heads.map(() => "---")) + rows.map(line).join("");
}

const joined = (parts: readonly string[]): string => parts.filter(Boolean).join("\n");
const code = (text: string): string => `\`${text}\``;

const silent = { write: () => {} };
const silentIo: CommandIo = {
  stdout: silent,
  stderr: silent,
  stdin: (async function* () {})(),
  env: {},
  width: 100,
  interactive: false,
  signal: new AbortController().signal,
};
