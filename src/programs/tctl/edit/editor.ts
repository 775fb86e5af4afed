import { badParameter } from "#base/kernel";
import { spawn } from "node:child_process";
import { once } from "node:events";

/** A command line for the shell, as every program that starts an editor takes it (`code --wait`). */
export const editorOf = (env: Readonly<Record<string, string | undefined>>): string =>
  env["VISUAL"] || env["EDITOR"] || "vi";

/** Gives the terminal to the editor until it ends; `bad_parameter` when it fails. */
export async function runEditor(editor: string, file: string): Promise<void> {
  const child = spawn("sh", ["-c", `${editor} "$1"`, "sh", file], { stdio: "inherit" });
  const [code, signal] = (await once(child, "exit")) as [number | null, string | null];
  if (code === 0) return;
  const how = code === null ? `was ended by ${signal}` : `ended with code ${code}`;
  throw badParameter(`the editor "${editor}" ${how}`);
}
