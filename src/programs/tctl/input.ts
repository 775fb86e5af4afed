import type { CommandIo } from "#base/cli";
import { decodeYaml, MAX_YAML_BYTES, readYaml, type YamlSource } from "#base/config";

/** A file, or with `-` what is piped in. */
export async function readInput(file: string, io: CommandIo): Promise<YamlSource> {
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
