import { badParameter } from "#base/kernel";
import { resolve } from "node:path";

/** The absolute path of a socket that is written as a path, `unix:///path` or `file:///path`. */
export function socketPath(written: string): string {
  const [, scheme, rest] = /^([a-z]+):(?:\/\/)?(.*)$/s.exec(written) ?? [];
  if (scheme === undefined) return resolve(nonEmpty(written, written));
  if (scheme !== "unix" && scheme !== "file")
    throw badParameter(
      `"${written}" is not a socket of this machine; write a path, unix:///path or file:///path`,
    );
  return resolve(nonEmpty(rest ?? "", written));
}

function nonEmpty(path: string, written: string): string {
  if (path !== "") return path;
  throw badParameter(`"${written}" names no socket; write a path, unix:///path or file:///path`);
}
