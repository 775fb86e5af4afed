import { didYouMean } from "#base/config";
import { notFound } from "#base/kernel";
import { checkApp, decideApp } from "#domain/access";
import { appName, type App, type Resources, type Role, type Traits } from "#domain/resources";

interface Holder {
  readonly roles: readonly Role[];
  readonly traits: Traits;
  readonly resources: Resources;
}

/** Names are suggested out of this many applications that the caller may see. */
const MAX_SUGGESTIONS_FROM = 1_000;

/**
 * `not_found` when no agent serves the application, with the nearest that the roles open;
 * `access_denied` when they open none of its entries.
 */
export async function checkAppAccess(name: string, holder: Holder): Promise<void> {
  const entries = await entriesOf(name, holder.resources);
  if (entries.length === 0) {
    const names = await visibleNames(holder);
    throw notFound(`no agent serves application "${name}"${didYouMean(name, names)}`);
  }
  if (entries.some((entry) => opens(holder, entry))) return;
  checkApp(holder.roles, holder.traits, { name, labels: entries[0]!.metadata.labels });
}

/** Every agent that serves it has its own entry, with its own labels. */
async function entriesOf(name: string, resources: Resources): Promise<readonly App[]> {
  const entries: App[] = [];
  const range = { index: "app", from: name, to: `${name}\0` };
  for await (const entry of resources.all("app", range)) entries.push(entry);
  return entries;
}

async function visibleNames(holder: Holder): Promise<readonly string[]> {
  const names = new Set<string>();
  for await (const entry of holder.resources.all("app")) {
    if (opens(holder, entry)) names.add(appName(entry));
    if (names.size >= MAX_SUGGESTIONS_FROM) break;
  }
  return [...names];
}

const opens = ({ roles, traits }: Holder, entry: App): boolean =>
  decideApp(roles, traits, entry.metadata.labels).allowed;
