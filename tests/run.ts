// npm test: every check of the project, in order of how soon each can fail, then a line of counts.
// npm test -- NAME … runs only the steps of those names.
import { spawn, spawnSync } from "node:child_process";
import { globSync } from "node:fs";
import { debianPackages, hasCommand, type Command } from "#testing/needs";

interface Counts {
  passed: number;
  failed: number;
  skipped: number;
}

interface Step {
  readonly name: string;
  readonly what: string;
  /** Run side by side. */
  readonly commands: readonly (readonly string[])[];
}

const bin = "node_modules/.bin";
const nodeTest = (...options: string[]): string[] => [
  `${bin}/node`,
  "--test",
  "--test-reporter=./tests/support/reporter.ts",
  ...options,
];

const steps: readonly Step[] = [
  {
    name: "format",
    what: "every file as oxfmt writes it",
    commands: [[`${bin}/oxfmt`, "--check", "."]],
  },
  { name: "lint", what: "oxlint, with types", commands: [[`${bin}/oxlint`, "--type-aware"]] },
  { name: "types", what: "the TypeScript checker", commands: [[`${bin}/tsc`, "-p", "."]] },
  { name: "page", what: "the same for the web page", commands: [[`${bin}/tsc`, "-p", "web"]] },
  {
    name: "house",
    what: "floors, tidiness, unused code",
    commands: [nodeTest(...globSync("tests/house/*.test.ts"))],
  },
  {
    name: "unit",
    what: "each room alone",
    commands: ["1/2", "2/2"].map((half) =>
      nodeTest("--test-isolation=none", `--test-shard=${half}`, ...globSync("src/**/*.test.ts")),
    ),
  },
  {
    name: "cluster",
    what: "rooms together, over real sockets",
    commands: [nodeTest("--test-concurrency=2", ...globSync("tests/cluster/*.test.ts"))],
  },
  {
    name: "e2e",
    what: "real programs",
    commands: [nodeTest("--test-concurrency=2", ...globSync("tests/e2e/*.test.ts"))],
  },
];

installMissingPackages();
const wanted = process.argv.slice(2);
const unknown = wanted.filter((name) => !steps.some((step) => step.name === name));
if (unknown.length > 0) {
  console.error(
    `unknown step "${unknown.join('", "')}"; there are ${steps.map((step) => step.name).join(", ")}`,
  );
  process.exit(2);
}

const total: Counts = { passed: 0, failed: 0, skipped: 0 };
for (const step of steps.filter((step) => wanted.length === 0 || wanted.includes(step.name))) {
  const started = performance.now();
  console.log(`── ${step.name}: ${step.what}`);
  const results = await Promise.all(step.commands.map(run));
  for (const counts of results) {
    total.passed += counts.passed;
    total.failed += counts.failed;
    total.skipped += counts.skipped;
  }
  const failed = results.some((counts) => counts.failed > 0);
  console.log(
    `   ${failed ? "failed" : "ok"} in ${((performance.now() - started) / 1000).toFixed(1)} s`,
  );
}
console.log(
  `\n${total.passed} passed, ${total.failed} failed${total.skipped > 0 ? `, ${total.skipped} skipped` : ""}`,
);
process.exit(total.failed > 0 ? 1 : 0);

/** A tool counts as one check; a test run counts as the reporter's last line says. */
async function run(command: readonly string[]): Promise<Counts> {
  const child = spawn(command[0]!, command.slice(1), { stdio: ["ignore", "pipe", "inherit"] });
  let output = "";
  child.stdout.setEncoding("utf8").on("data", (text: string) => {
    output += text;
    process.stdout.write(text.replaceAll(/^counts .*\n/gm, ""));
  });
  const code = await new Promise<number>((resolve) =>
    child.on("close", (status) => resolve(status ?? 1)),
  );
  const counts = /^counts (\d+) (\d+) (\d+)$/m.exec(output);
  if (!counts) return { passed: code === 0 ? 1 : 0, failed: code === 0 ? 0 : 1, skipped: 0 };
  const failed = Number(counts[2]);
  return {
    passed: Number(counts[1]),
    failed: code !== 0 && failed === 0 ? 1 : failed,
    skipped: Number(counts[3]),
  };
}

function installMissingPackages(): void {
  const missing = (Object.keys(debianPackages) as Command[]).filter(
    (command) => !hasCommand(command),
  );
  if (missing.length === 0) return;
  const packages = [...new Set(missing.map((command) => debianPackages[command]))];
  if (process.getuid?.() === 0 && hasCommand("apt-get")) {
    console.log(`Installing Debian packages: ${packages.join(" ")} …`);
    aptGet("update", "-q");
    aptGet("install", "-y", "-q", ...packages);
  }
  const absent = missing.filter((command) => !hasCommand(command));
  if (absent.length === 0) return;
  console.log(
    `Missing: ${absent.join(", ")} (Debian packages ${packages.join(", ")}). The suites that talk to them are left out; install them and run again.`,
  );
}

function aptGet(...options: string[]): void {
  const env = { ...process.env, DEBIAN_FRONTEND: "noninteractive" };
  spawnSync("apt-get", options, { stdio: ["ignore", "ignore", "inherit"], env });
}
