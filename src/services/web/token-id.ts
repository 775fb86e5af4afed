import { notFound } from "#base/kernel";
import { tokenDisplayName, type KindName, type Token } from "#domain/resources";
import type { PersonCalls } from "./caller.ts";

/** Names begin with a letter or a digit. */
const MARK = "~";
/** A cluster with more single-use tokens at a time than this shows them by `tctl`. */
const MAX_SECRET_TOKENS = 10_000;

/**
 * What the page calls a token in its addresses, which browsers and logs keep: its name, or, where the
 * name is the secret, the revision at which it was read.
 */
export const tokenId = (token: Token): string =>
  tokenDisplayName(token) === token.metadata.name
    ? token.metadata.name
    : `${MARK}${token.metadata.revision ?? ""}`;

/** The name that an id stands for. */
async function tokenNamed(calls: PersonCalls, id: string): Promise<string> {
  if (!id.startsWith(MARK)) return id;
  const fields = { join_method: "token" };
  const { items } = await calls.all("token", { most: MAX_SECRET_TOKENS, fields });
  const found = items.find((token) => tokenId(token) === id);
  if (found) return found.metadata.name;
  throw notFound(`this token is gone: it was used, changed or deleted since its link was made`);
}

/** The name of a document that an address names. */
export const nameOf = async (calls: PersonCalls, kind: KindName, id: string): Promise<string> =>
  kind === "token" ? await tokenNamed(calls, id) : id;
