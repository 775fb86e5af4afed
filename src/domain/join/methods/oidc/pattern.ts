/**
 * Whether the text is what the pattern says: `*` stands for any text without `/` and `:`, which
 * separate the parts of references and subjects; `**` for any text. Takes time in proportion to
 * pattern × text, whatever either holds: the text comes from outside.
 */
export function matchesPattern(pattern: string, text: string): boolean {
  const parts = pattern.match(/\*\*|\*|[^*]/gsu) ?? [];
  let reached = skipStars(parts, new Set([0]));
  for (const sign of text) {
    reached = skipStars(parts, advance(parts, reached, sign));
    if (reached.size === 0) return false;
  }
  return reached.has(parts.length);
}

/** Where in the pattern one can be after one more sign. */
function advance(
  parts: readonly string[],
  reached: ReadonlySet<number>,
  sign: string,
): Set<number> {
  const next = new Set<number>();
  for (const at of reached) {
    const part = parts[at];
    if (part === "**" || (part === "*" && sign !== "/" && sign !== ":")) next.add(at);
    else if (part === sign && part !== "*") next.add(at + 1);
  }
  return next;
}

/** A star may also stand for nothing. */
function skipStars(parts: readonly string[], reached: Set<number>): Set<number> {
  for (const at of reached) if (parts[at] === "*" || parts[at] === "**") reached.add(at + 1);
  return reached;
}
