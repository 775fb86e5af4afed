import type { WatchEventSchema, WatchRequest } from "@tenon/api/tenon/resource/v1/resource";
import type { MessageInitShape } from "@bufbuild/protobuf";
import { badParameter } from "#base/kernel";
import type { Change } from "#base/storage";
import { checkVerb, type Caller } from "#domain/access";
import { fromItem, kindNamed, type KindName } from "#domain/resources";
import { following } from "../following.ts";
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
