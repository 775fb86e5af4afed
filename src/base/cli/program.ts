import { Command, CommanderError } from "commander";
import { CodedError, messageOf } from "#base/kernel";
import type { CommandIo } from "./io.ts";

/** A subcommand whose code is loaded only when it is called. */
export interface LazyCommand {
  readonly name: string;
  readonly alias?: string;
  readonly summary: string;
  /** Loads what defines its arguments, options, subcommands and action. */
  readonly load: () => Promise<(command: Command, io: CommandIo) => void>;
}

/** A subcommand that only groups others. */
export interface CommandGroup extends Pick<LazyCommand, "name" | "summary"> {
  readonly commands: readonly LazyCommand[];
  /** The last lines of its `--help`. */
  readonly notes: string;
}

export interface Program {
  readonly name: string;
  readonly version: string;
  /** The first lines of `--help`: what it is for. */
  readonly description: string;
  /** The last lines of `--help`: examples. */
  readonly examples: string;
  readonly commands: readonly (LazyCommand | CommandGroup)[];
  /** Adds the options that stand before or after any subcommand (`command.optsWithGlobals()`). */
  readonly options?: (root: Command, io: CommandIo) => void;
}

const EXIT_FAILED = 1;
const EXIT_USAGE = 2;

/** Runs one command line (without node and script) and gives its exit code: 0 done, 1 failed, 2 usage. */
export async function runProgram(
  program: Program,
  argv: readonly string[],
  io: CommandIo,
): Promise<number> {
  try {
    const root = await commandTree(program, io, (name) => argv.includes(name));
    await root.parseAsync([...argv], { from: "user" });
    return 0;
  } catch (error) {
    if (error instanceof CommanderError) return error.exitCode === 0 ? 0 : EXIT_USAGE;
    if (error instanceof EndedWith) return error.exitCode;
    io.stderr.write(`${program.name}: ${messageOf(error)}\n`);
    if (!(error instanceof CodedError) && error instanceof Error && io.env["TENON_DEBUG"])
      io.stderr.write(`${error.stack}\n`);
    return (await isUsage(error)) ? EXIT_USAGE : EXIT_FAILED;
  }
}

/** The commander tree; only subcommands that `wanted` names are loaded, the others are a line of help. */
export async function commandTree(
  program: Program,
  io: CommandIo,
  wanted: (name: string) => boolean,
): Promise<Command> {
  const root = configure(new Command(program.name), io)
    .description(program.description)
    .version(`${program.name} ${program.version}`, "-V, --version", "print the version")
    .addHelpText("after", `\n${program.examples}`);
  program.options?.(root, io);
  for (const each of program.commands) await addCommand(root, each, { io, wanted });
  if (!root.commands.some((command) => command.name() === "help"))
    root.helpCommand("help [command]", "explain a command");
  return root;
}

async function addCommand(
  parent: Command,
  added: LazyCommand | CommandGroup,
  { io, wanted }: { io: CommandIo; wanted: (name: string) => boolean },
): Promise<void> {
  const { name, summary } = added;
  const command = parent.command(name).summary(summary).description(summary);
  if ("commands" in added) {
    configure(command, io).addHelpText("after", `\n${added.notes}`);
    for (const child of added.commands) await addCommand(command, child, { io, wanted });
    return;
  }
  const { alias, load } = added;
  if (alias !== undefined) command.alias(alias);
  if (!wanted(name) && !(alias !== undefined && wanted(alias))) return;
  (await load())(command, io);
  configureAll(command, io);
}

function configureAll(command: Command, io: CommandIo): void {
  configure(command, io);
  for (const child of command.commands) configureAll(child, io);
}

function configure(command: Command, io: CommandIo): Command {
  return command
    .exitOverride()
    .showSuggestionAfterError()
    .showHelpAfterError("(add --help to see what is allowed)")
    .configureOutput({
      writeOut: (text) => void io.stdout.write(text),
      writeErr: (text) => void io.stderr.write(text),
      getOutHelpWidth: () => io.width,
      getErrHelpWidth: () => io.width,
    });
}

/** Also when every fault of a configuration is a flag's or a variable's. */
async function isUsage(error: unknown): Promise<boolean> {
  if (error instanceof UsageError) return true;
  // Loaded only now, because help and version need none of it.
  const { faultsOf } = await import("#base/config");
  const faults = faultsOf(error);
  return faults.length > 0 && faults.every(({ place }) => place.named === true);
}

/** The command has told what there is to tell; the program ends with this exit code. */
export class EndedWith extends Error {
  readonly exitCode: number;

  constructor(exitCode: number) {
    super(`ended with exit code ${exitCode}`);
    this.exitCode = exitCode;
  }
}

/** A command line that parses but makes no sense: exit code 2. */
export class UsageError extends CodedError {
  constructor(message: string) {
    super("bad_parameter", message);
  }
}
