import { didYouMean } from "#base/config";
import { badParameter } from "#base/kernel";
import type { Write } from "#base/storage";
import type { AnyResource, KindName, ResourceOf, Resources } from "#domain/resources";
import { keyOf } from "./documents.ts";

/**
 * What a write refers to: documents of the same write, else of the store. Those of the store become
 * conditions of the commit, so that what was found is still there when the write happens.
 */
export class References {
  readonly #resources: Resources;
  readonly #batch: ReadonlyMap<string, AnyResource>;
  readonly #checks = new Map<string, Write>();

  constructor(resources: Resources, documents: readonly AnyResource[]) {
    this.#resources = resources;
    this.#batch = new Map(documents.map((resource) => [keyOf(resource), resource]));
  }

  async find<K extends KindName>(kind: K, name: string): Promise<ResourceOf<K> | undefined> {
    const key = `${kind}/${name}`;
    const incoming = this.#batch.get(key);
    // The key holds the kind.
    if (incoming) return incoming as ResourceOf<K>;
    const found = await this.#resources.get(kind, name);
    const { revision } = found?.metadata ?? {};
    if (revision) this.#checks.set(key, { op: "check", kind, name, revision });
    return found;
  }

  /** `bad_parameter` says where the name stands (`spec.roles`) and offers the nearest. */
  async require<K extends KindName>(kind: K, name: string, where: string): Promise<ResourceOf<K>> {
    const found = await this.find(kind, name);
    if (found) return found;
    const names = [...(await this.#resources.names(kind)), ...this.#incomingNames(kind)];
    throw badParameter(`${where}: there is no ${kind} "${name}"${didYouMean(name, names)}`);
  }

  /** Conditions for the commit. */
  checks(): readonly Write[] {
    return [...this.#checks.values()];
  }

  #incomingNames(kind: KindName): readonly string[] {
    return [...this.#batch.values()]
      .filter((resource) => resource.kind === kind)
      .map((resource) => resource.metadata.name);
  }
}
