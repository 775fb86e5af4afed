export { addFormat, printResult, type OutputFormat } from "./format.ts";
export type { CommandIo, Sink } from "./io.ts";
export { runMain } from "./main.ts";
export { readInput } from "./input.ts";
export {
  commandTree,
  EndedWith,
  runProgram,
  UsageError,
  type LazyCommand,
  type Program,
} from "./program.ts";
export { formatTable, type Column } from "./table.ts";
