import { printResult, type CommandIo, type OutputFormat } from "#base/cli";
import type { AnyResource, KindName } from "#domain/resources";
import { tableOf } from "./tables.ts";

/** A table for people, or the documents themselves. */
export async function printDocuments(
  io: CommandIo,
  result: { format: OutputFormat; kind: KindName; documents: readonly AnyResource[] },
): Promise<void> {
  const { format, kind, documents } = result;
  await printResult(io, { format, value: documents, text: () => tableOf(kind, documents) });
}
