import { open } from "node:fs/promises";

/** What an annotation can show; the post step shows the rest. */
const END_LINES = 20;
const END_BYTES = 4_000;
/** A bot that writes more has told the same thing many times; the page of a job should still open. */
const MAX_BYTES = 1_000_000;

/** The last lines of a log. */
export async function endOf(path: string): Promise<string> {
  const { text } = await readEnd(path, END_BYTES);
  return text.trimEnd().split("\n").slice(-END_LINES).join("\n");
}

/** The whole log, or as much of its end as is worth reading. */
export async function wholeOf(path: string): Promise<string> {
  const { text, left } = await readEnd(path, MAX_BYTES);
  return left > 0 ? `(${left} bytes before this are left out)\n${text}` : text;
}

/** At most so many bytes, from the start of a line on. */
async function readEnd(path: string, bytes: number): Promise<{ text: string; left: number }> {
  await using file = await open(path);
  const { size } = await file.stat();
  const left = Math.max(0, size - bytes);
  const buffer = Buffer.alloc(size - left);
  const { bytesRead } = await file.read(buffer, 0, buffer.length, left);
  const text = buffer.toString("utf8", 0, bytesRead);
  return { text: left > 0 ? text.slice(text.indexOf("\n") + 1) : text, left };
}
