// A quiet reporter for node:test: failures in full, then `counts PASSED FAILED SKIPPED`.
import type { TestEvent } from "node:test/reporters";

export default async function* report(source: AsyncIterable<TestEvent>): AsyncGenerator<string> {
  const counts = { passed: 0, failed: 0, skipped: 0 };
  for await (const event of source) {
    if (event.type === "test:stderr" || event.type === "test:stdout") yield event.data.message;
    if (event.type === "test:fail" && !isParent(event.data.details.error)) {
      const { name, file = "", line = "", details } = event.data;
      counts.failed++;
      yield `   FAILED ${file}:${line} ${name}\n${indent(describe(details.error))}\n`;
    }
    if (event.type !== "test:pass") continue;
    if (event.data.skip !== undefined) {
      counts.skipped++;
      yield `   left out: ${event.data.name} (${event.data.skip})\n`;
    } else if (event.data.details.type !== "suite") counts.passed++;
  }
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
