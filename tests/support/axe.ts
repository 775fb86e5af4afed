import assert from "node:assert/strict";
import axe from "axe-core";
import type { Page } from "playwright-core";

interface Violation {
  readonly id: string;
  readonly nodes: readonly { readonly html: string; readonly failureSummary: string }[];
}

/** No violation of WCAG 2.2 AA that axe can find, and nothing that has to be scrolled sideways. */
export async function assertFit(page: Page): Promise<void> {
  await page.evaluate(axe.source);
  const run = `axe.run(document, { runOnly: ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa"] })`;
  const { violations } = await page.evaluate<{ violations: Violation[] }>(run);
  const told = violations.map(
    ({ id, nodes }) => `${id}: ${nodes[0]?.html} ${nodes[0]?.failureSummary}`,
  );
  assert.deepEqual(told, [], page.url());
  const sideways = "document.documentElement.scrollWidth - innerWidth";
  assert.ok((await page.evaluate<number>(sideways)) <= 0, `${page.url()} is too wide`);
}
