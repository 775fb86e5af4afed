import { parseArgs } from "node:util";
import { printTable, type Bench } from "./support.ts";

/** Each is a file of this folder, imported only when it is asked for. */
const benches = ["issue", "tunnel", "store", "start", "join", "api", "stranger"];

const USAGE = `usage: npm run bench -- NAME [--json] [--quick]
  NAME     ${benches.join(", ")}
  --json   print one JSON object instead of a table
  --quick  fewer and shorter rounds, to see that it works`;

process.exitCode = await main(process.argv.slice(2));

async function main(args: string[]): Promise<number> {
  const options = parse(args);
  if (!options || !benches.includes(options.name)) {
    console.error(USAGE);
    return 2;
  }
  const bench: Bench = await import(`./${options.name}.ts`);
  const result = await bench.run({
    quick: options.quick,
    log: (line) => console.error(line),
  });
  console.log(options.json ? JSON.stringify(result) : printTable(result));
  return 0;
}

function parse(args: string[]): { name: string; json: boolean; quick: boolean } | undefined {
  try {
    const { values, positionals } = parseArgs({
      args,
      allowPositionals: true,
      options: { json: { type: "boolean" }, quick: { type: "boolean" } },
    });
    if (positionals.length !== 1) return undefined;
    return { name: positionals[0]!, json: values.json ?? false, quick: values.quick ?? false };
  } catch {
    return undefined;
  }
}
