const ROOT = "/web/";

/** The place within the page that a `next` in the address names; its first page for anything else. */
export function insideOf(next: unknown): string {
  if (typeof next !== "string" || !URL.canParse(next, location.origin)) return ROOT;
  const { origin, pathname, search, hash } = new URL(next, location.origin);
  return origin === location.origin && pathname.startsWith(ROOT) ? pathname + search + hash : ROOT;
}
