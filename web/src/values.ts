/** What a document holds, as the page shows it: nothing stands for what is not of the kind. */
export const text = (value: unknown): string =>
  typeof value === "string" || typeof value === "number" ? String(value) : "";

export const words = (value: unknown): string[] =>
  Array.isArray(value) ? value.filter((each) => typeof each !== "object").map(String) : [];

export const entries = (value: unknown): (readonly [string, unknown])[] =>
  typeof value === "object" && value !== null && !Array.isArray(value) ? Object.entries(value) : [];
