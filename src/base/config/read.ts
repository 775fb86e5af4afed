import { badParameter, fileError } from "#base/kernel";
import { open } from "node:fs/promises";
import type { YamlSource } from "./parse.ts";
import { MAX_YAML_BYTES } from "./yaml-tree.ts";

/** Reads a configuration file for `parseYaml`; says plainly what keeps it from being read. */
export async function readYaml(file: string): Promise<YamlSource> {
  return { file, text: decodeYaml(await bytesOf(file), file) };
}

/** Throws `bad_parameter` for what is too large or not UTF-8. */
export function decodeYaml(bytes: Uint8Array, file: string): string {
  if (bytes.byteLength > MAX_YAML_BYTES)
    throw badParameter(`${file} is larger than ${MAX_YAML_BYTES} bytes, the most that is allowed`);
  try {
    return new TextDecoder("utf-8", { fatal: true }).decode(bytes);
  } catch (cause) {
    throw badParameter(`${file} is not UTF-8 text`, { cause });
  }
}

/** Reads no more than the limit and a byte: what is larger, or endless, is refused, not loaded. */
async function bytesOf(file: string): Promise<Uint8Array> {
  try {
    await using handle = await open(file, "r");
    const buffer = new Uint8Array(MAX_YAML_BYTES + 1);
    let length = 0;
    for (;;) {
      const { bytesRead } = await handle.read(buffer, length, buffer.length - length);
      length += bytesRead;
      if (bytesRead === 0 || length === buffer.length) return buffer.subarray(0, length);
    }
  } catch (error) {
    throw fileError(`cannot read "${file}"`, error);
  }
}
