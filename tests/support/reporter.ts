// A quiet reporter for node:test: failures in full, the slowest files, then `counts PASSED FAILED SKIPPED`.
import { relative } from "node:path";
import type { TestEvent } from "node:test/reporters";

/** Files that take longer are named: whoever waits for them may want to know. */
const SLOW_MS = 20_000;
const MOST_SLOW = 10;

export default async function* report(source: AsyncIterable<TestEvent>): AsyncGenerator<string> {
  const counts = { passed: 0, failed: 0, skipped: 0 };
  const spent = new Map<string, number>();
  for await (const event of source) {
    if (event.type === "test:stderr" || event.type === "test:stdout") yield event.data.message;
    if (event.type === "test:fail" && !isParent(event.data.details.error)) {
      const { name, file = "", line = "", details } = event.data;
      counts.failed++;
      yield `   FAILED ${file}:${line} ${name}\n${indent(describe(details.error))}\n`;
    }
    if (event.type !== "test:pass") continue;
    const { file = "", nesting, details } = event.data;
    if (nesting === 0) spent.set(file, (spent.get(file) ?? 0) + details.duration_ms);
    if (event.data.skip !== undefined) {
      counts.skipped++;
      yield `   left out: ${event.data.name} (${event.data.skip})\n`;
    } else if (event.data.details.type !== "suite") counts.passed++;
  }
  const slow = [...spent].filter(([, ms]) => ms > SLOW_MS).toSorted(([, a], [, b]) => b - a);
  for (const [file, ms] of slow.slice(0, MOST_SLOW))
    yield `   ${Math.round(ms / 1_000)} s: ${relative(process.cwd(), file)}\n`;
  yield `counts ${counts.passed} ${counts.failed} ${counts.skipped}\n`;
}

/** A suite fails with each test in it that failed; that test was counted already. */
function isParent(error: Error): boolean {
  return "failureType" in error && error.failureType === "subtestsFailed";
}

function describe(error: Error): string {
  const cause = error.cause instanceof Error ? error.cause : error;
  return cause.stack ?? cause.message;
}

const indent = (text: string): string => text.replaceAll(/^/gm, "     ");
