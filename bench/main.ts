import { parseArgs } from "node:util";
import { printTable, type Bench } from "./support.ts";

/** Each is a file of this folder, imported only when it is asked for. */
const benches = ["issue", "tunnel", "store", "start", "join", "api", "stranger", "web"];

const USAGE = `usage: npm run bench -- NAME [--json] [--quick]
  NAME     ${benches.join(", ")}
  --json   print one JSON object instead of a table
  --quick  fewer and shorter rounds, to see that it works
  --size   of web: how many instances there are, ten for each bot
  --dir    of web: where its store is kept, and taken from when it is there`;

process.exitCode = await main(process.argv.slice(2));

async function main(args: string[]): Promise<number> {
  const options = parse(args);
  if (!options || !benches.includes(options.name)) {
    console.error(USAGE);
    return 2;
  }
  const bench: Bench = await import(`./${options.name}.ts`);
  const result = await bench.run({
    ...options,
    log: (line) => console.error(line),
  });
  console.log(options.json ? JSON.stringify(result) : printTable(result));
  return 0;
}

interface Options {
  readonly name: string;
  readonly json: boolean;
  readonly quick: boolean;
  readonly size?: number;
  readonly directory?: string;
}

function parse(args: string[]): Options | undefined {
  try {
    const { values, positionals } = parseArgs({
      args,
      allowPositionals: true,
      options: {
        json: { type: "boolean" },
        quick: { type: "boolean" },
        size: { type: "string" },
        dir: { type: "string" },
      },
    });
    if (positionals.length !== 1) return undefined;
    const { json = false, quick = false, size, dir } = values;
    if (size !== undefined && !/^[1-9]\d*$/.test(size)) return undefined;
    return {
      name: positionals[0]!,
      json,
      quick,
      ...(size === undefined ? {} : { size: Number(size) }),
      ...(dir === undefined ? {} : { directory: dir }),
    };
  } catch {
    return undefined;
  }
}
