import { didYouMean } from "#base/config";
import { notFound } from "#base/kernel";
import { checkOpen, openableTitle, type Holder, type OpenableKind } from "#domain/access";
import type { Resources } from "#domain/resources";
import { openableNamed, openables, opens, type Openable } from "./openable.ts";

/** Names are suggested out of this many that the caller may see. */
const MAX_SUGGESTIONS_FROM = 1_000;

/** What a certificate is to open. */
export interface Target {
  readonly kind: OpenableKind;
  readonly name: string;
}

/**
 * `not_found` when there is no such thing, with the nearest that the roles open; `access_denied` when
 * they do not open it.
 */
export async function checkTarget(
  { kind, name }: Target,
  holder: Holder,
  resources: Resources,
): Promise<Openable> {
  const openable = await openableNamed(resources, kind, name);
  if (!openable) {
    const names = await visibleNames(kind, holder, resources);
    throw notFound(`${absence(kind, name)}${didYouMean(name, names)}`);
  }
  for (const { metadata } of openable.documents)
    checkOpen(kind, holder, { name, labels: metadata.labels });
  return openable;
}

const absence = (kind: OpenableKind, name: string): string =>
  kind === "app"
    ? `no agent serves application "${name}"`
    : `there is no ${openableTitle(kind)} "${name}"`;

async function visibleNames(
  kind: OpenableKind,
  holder: Holder,
  resources: Resources,
): Promise<readonly string[]> {
  const names: string[] = [];
  for await (const openable of openables(resources, kind)) {
    if (opens(holder, openable)) names.push(openable.name);
    if (names.length >= MAX_SUGGESTIONS_FROM) break;
  }
  return names;
}
