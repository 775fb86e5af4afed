import { deepFreeze } from "#base/kernel";
import type { Item, Write } from "../store.ts";

/** Half of what may be kept: beyond it, what was not read for the longest time goes. */
const MAX_ITEMS = 2_000;
const MAX_CHARS = 4 * 1024 * 1024;
/** Larger documents are read from the file each time. */
const MAX_ITEM_CHARS = 64 * 1024;

/** What was found under a key: nothing is an answer too. */
export interface Found {
  readonly item: Item | undefined;
}

/**
 * Documents of a few kinds that nearly every call reads, such as settings. From the moment at which a
 * write of a document sets out until it is answered, and its answer taken in, the document is read
 * from the file: so what is here was never changed by a commit that anyone knows of.
 */
export class Remembered {
  readonly #kinds: ReadonlySet<string>;
  readonly #writing = new Map<string, number>();
  /** Filled until it holds enough; then it is the older one, and what is read from there comes over. */
  #young = new Map<string, Found>();
  #old = new Map<string, Found>();
  #chars = 0;

  constructor(kinds: readonly string[]) {
    this.#kinds = new Set(kinds);
  }

  find(kind: string, name: string): Found | undefined {
    if (!this.#kinds.has(kind)) return undefined;
    const key = keyOf(kind, name);
    const found = this.#young.get(key);
    if (found) return found;
    const older = this.#old.get(key);
    if (older) this.#add(key, older, 0);
    return older;
  }

  /** `chars`: the size of the document as text. It becomes unchangeable: it is handed to many. */
  keep(kind: string, name: string, item: Item | undefined, chars: number): void {
    if (!this.#kinds.has(kind) || chars > MAX_ITEM_CHARS) return;
    const key = keyOf(kind, name);
    if (!this.#writing.has(key)) this.#add(key, { item: deepFreeze(item) }, chars);
  }

  /** Called before a write of these sets out; the result once its answer was taken in. */
  writing(writes: readonly Pick<Write, "op" | "kind" | "name">[]): Disposable {
    const keys = writes
      .filter(({ op, kind }) => op !== "check" && this.#kinds.has(kind))
      .map(({ kind, name }) => keyOf(kind, name));
    for (const key of keys) {
      this.#writing.set(key, (this.#writing.get(key) ?? 0) + 1);
      this.#forget(key);
    }
    return { [Symbol.dispose]: () => keys.forEach((key) => this.#written(key)) };
  }

  /** Of documents that went by themselves. */
  forget(kind: string, name: string): void {
    if (this.#kinds.has(kind)) this.#forget(keyOf(kind, name));
  }

  #written(key: string): void {
    const others = this.#writing.get(key)! - 1;
    if (others > 0) this.#writing.set(key, others);
    else this.#writing.delete(key);
  }

  #forget(key: string): void {
    this.#young.delete(key);
    this.#old.delete(key);
  }

  #add(key: string, found: Found, chars: number): void {
    this.#young.set(key, found);
    this.#chars += chars;
    if (this.#young.size < MAX_ITEMS && this.#chars < MAX_CHARS) return;
    this.#old = this.#young;
    this.#young = new Map();
    this.#chars = 0;
  }
}

const keyOf = (kind: string, name: string): string => `${kind}/${name}`;
