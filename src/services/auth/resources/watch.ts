import type { WatchEventSchema, WatchRequest } from "@tenon/api/tenon/resource/v1/resource";
import type { MessageInitShape } from "@bufbuild/protobuf";
import { badParameter, codeOf, limitExceeded } from "#base/kernel";
import type { Change, Store } from "#base/storage";
import { checkVerb, type Caller } from "#domain/access";
import { fromItem, kindNamed, type KindName } from "#domain/resources";
import type { ResourceCall, ResourceServiceParts } from "./call.ts";
import { documentOf } from "./read.ts";

type WatchEvent = MessageInitShape<typeof WatchEventSchema>;

/** The changes of some kinds from now on; the first event says that none will be missed. */
export async function* watchResources(
  { store }: ResourceServiceParts,
  request: Pick<WatchRequest, "kinds">,
  { caller, signal }: ResourceCall,
): AsyncGenerator<WatchEvent, void, undefined> {
  const kinds = kindsOf(request.kinds, caller);
  const after = await store.position();
  yield { event: { case: "ready", value: {} } };
  for await (const change of following(store, { kinds, after, signal })) yield eventOf(change);
}

/** Whole documents come, with their secrets and names: so watching needs both verbs of reading. */
function kindsOf(words: readonly string[], caller: Caller): readonly KindName[] {
  if (words.length === 0) throw badParameter("kinds is empty; name the kinds to watch");
  const kinds = [...new Set(words.map(kindNamed))];
  for (const kind of kinds) {
    checkVerb(caller, kind, "list");
    checkVerb(caller, kind, "read");
  }
  return kinds;
}

function eventOf(change: Change): WatchEvent {
  if (change.item) return { event: { case: "put", value: documentOf(fromItem(change.item)) } };
  return { event: { case: "deleted", value: { kind: change.kind, name: change.name } } };
}

interface Following {
  readonly kinds: readonly string[];
  readonly after: number;
  readonly signal: AbortSignal;
}

/** How often a feed that breaks before it brings anything is taken up again. */
const MAX_RESUMES = 3;

/** Takes the feed up again where it broke, as long as the store still holds what came since. */
async function* following(
  store: Store,
  { kinds, after, signal }: Following,
): AsyncGenerator<Change, void, undefined> {
  // Changes of one batch may share a position: so resuming counts how many of it were passed on.
  let last = { position: after + 1, passed: 0 };
  for (let broken = 0; ; broken++) {
    try {
      let skip = last.passed;
      for await (const change of store.watch({ kinds, after: last.position - 1, signal })) {
        if (change.position === last.position && skip-- > 0) continue;
        const passed = change.position === last.position ? last.passed + 1 : 1;
        last = { position: change.position, passed };
        broken = 0;
        yield change;
      }
      return;
    } catch (error) {
      if (signal.aborted) return;
      if (codeOf(error) === "compare_failed") throw tooSlow();
      if (broken >= MAX_RESUMES) throw error;
    }
  }
}

const tooSlow = (): Error =>
  limitExceeded(
    "the reader fell behind what the change feed still holds; list again, then watch anew",
  );
