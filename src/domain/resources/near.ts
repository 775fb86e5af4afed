/** Comparing more would let a request for a wrong name cost as much as a listing. */
export const MAX_COMPARED = 1_000;
/** No name that a person typed is longer, and the work grows with the square of the length. */
const MAX_LENGTH = 64;
/** More would not fit on the line. */
const MAX_SUGGESTIONS = 3;

/** `; did you mean "app_name"?` when a candidate is close to `wrong`, else nothing. */
export function didYouMean(wrong: string, candidates: readonly string[]): string {
  const near = nearNames(wrong, candidates).map((name) => `"${name}"`);
  return near.length > 0 ? `; did you mean ${near.join(" or ")}?` : "";
}

/** The candidates within a third of `wrong`'s length in edits (at least 1), nearest first. */
export function nearNames(wrong: string, candidates: readonly string[]): readonly string[] {
  if (wrong.length > MAX_LENGTH) return [];
  const allowed = Math.max(1, Math.floor(wrong.length / 3));
  return candidates
    .slice(0, MAX_COMPARED)
    .filter((name) => Math.abs(name.length - wrong.length) <= allowed)
    .map((name) => ({ name, edits: editDistance(wrong.toLowerCase(), name.toLowerCase()) }))
    .filter(({ edits }) => edits <= allowed)
    .sort((a, b) => a.edits - b.edits || (a.name < b.name ? -1 : 1))
    .slice(0, MAX_SUGGESTIONS)
    .map(({ name }) => name);
}

/** Levenshtein: how many letters to insert, remove or replace. */
export function editDistance(a: string, b: string): number {
  let above = Array.from({ length: b.length + 1 }, (_, column) => column);
  for (let row = 1; row <= a.length; row++) {
    const current = [row];
    for (let column = 1; column <= b.length; column++) {
      const replaced = above[column - 1]! + (a[row - 1] === b[column - 1] ? 0 : 1);
      current.push(Math.min(replaced, above[column]! + 1, current[column - 1]! + 1));
    }
    above = current;
  }
  return above[b.length]!;
}
