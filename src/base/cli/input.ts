import type { YamlSource } from "#base/config";
import type { CommandIo } from "./io.ts";

/** A file, or with `-` what is piped in. */
export async function readInput(file: string, io: Pick<CommandIo, "stdin">): Promise<YamlSource> {
  // Loaded only now, because help and version need none of it.
  const { decodeYaml, MAX_YAML_BYTES, readYaml } = await import("#base/config");
  if (file !== "-") return await readYaml(file);
  const chunks: Uint8Array[] = [];
  let length = 0;
  for await (const chunk of io.stdin) {
    chunks.push(chunk);
    length += chunk.length;
    if (length > MAX_YAML_BYTES) break;
  }
  const name = "standard input";
  return { file: name, text: decodeYaml(Buffer.concat(chunks), name) };
}
