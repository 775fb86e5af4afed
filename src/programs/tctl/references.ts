import { UsageError } from "#base/cli";
import { messageOf } from "#base/kernel";
import { kindNamed, type KindName } from "#domain/resources";

/** What a person names: `bots`, or `bot/robot`. */
export interface Reference {
  readonly kind: KindName;
  readonly name?: string;
}

/** Reads `bots`, `bot/robot` or `bot/robot,tokens`. */
export function parseReferences(text: string): Reference[] {
  return text.split(",").map((part) => {
    const slash = part.indexOf("/");
    const kind = usageKind(slash < 0 ? part : part.slice(0, slash));
    const name = slash < 0 ? undefined : part.slice(slash + 1);
    if (name === "") throw new UsageError(`"${part}" names no ${kind} after the slash`);
    return { kind, ...(name === undefined ? {} : { name }) };
  });
}

/** `kind/name` exactly. */
export function parseNamed(text: string): Required<Reference> {
  const [reference, ...more] = parseReferences(text);
  if (reference?.name === undefined || more.length > 0)
    throw new UsageError(`"${text}" must be kind/name, such as bot/robot`);
  return { kind: reference.kind, name: reference.name };
}

function usageKind(text: string): KindName {
  try {
    return kindNamed(text);
  } catch (error) {
    throw new UsageError(messageOf(error));
  }
}
