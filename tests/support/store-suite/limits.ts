import assert from "node:assert/strict";
import { after, before, describe, it } from "node:test";
import type { ErrorCode } from "#base/kernel";
import {
  MAX_INDEX_KEY_BYTES,
  MAX_INDEX_KEYS,
  MAX_KEY_BYTES,
  MAX_VALUE_BYTES,
  MAX_WRITES,
  type Write,
} from "#base/storage";
import { open, refused, write, type Bench, type StoreKind } from "./harness.ts";

const valueOf = (bytes: number): { text: string } => ({
  text: "x".repeat(bytes - '{"text":""}'.length),
});
const many = (length: number): Write[] =>
  Array.from({ length }, (_, i) => write("put", `n${i}`, { i }));
const tags = (length: number): string[] => Array.from({ length }, (_, i) => `t${i}`);

const accepted: readonly (readonly [string, readonly Write[]])[] = [
  ["a value of exactly 1 MiB", [write("put", "a", valueOf(MAX_VALUE_BYTES))]],
  ["exactly 1,000 writes", many(MAX_WRITES)],
  ["a name of exactly 512 bytes", [write("put", "ü".repeat(MAX_KEY_BYTES / 2))]],
  ["exactly 1,000 index keys", [write("put", "a", { tags: tags(MAX_INDEX_KEYS) })]],
  ["a key of 2,048 bytes", [write("put", "a", { rank: "x".repeat(MAX_INDEX_KEY_BYTES) })]],
];

const faults: readonly (readonly [string, ErrorCode, readonly Write[]])[] = [
  ["no write at all", "bad_parameter", []],
  ["1,001 writes", "limit_exceeded", many(MAX_WRITES + 1)],
  ["a value over 1 MiB", "limit_exceeded", [write("put", "a", valueOf(MAX_VALUE_BYTES + 1))]],
  ["a name over 512 bytes", "limit_exceeded", [write("put", `${"ü".repeat(256)}x`)]],
  ["an empty name", "bad_parameter", [write("put", "")]],
  ["an empty kind", "bad_parameter", [{ op: "put", kind: "", name: "a", value: {} }]],
  ["half a character in a name", "bad_parameter", [write("put", "\ud800")]],
  ["1,001 index keys", "limit_exceeded", [write("put", "a", { tags: tags(MAX_INDEX_KEYS + 1) })]],
  ["a key over 2,048 bytes", "limit_exceeded", [write("put", "a", { rank: "x".repeat(2_049) })]],
  ["a broken expiry", "bad_parameter", [write("put", "a", {}, Number.NaN)]],
];

export function testLimits(kind: StoreKind): void {
  describe("limits", () => {
    let shared: Bench;
    before(async () => (shared = await open(kind)));
    after(() => shared[Symbol.asyncDispose]());

    for (const [name, writes] of accepted) {
      it(`accept ${name}`, async () => {
        await shared.store.commit(writes);
        const item = await shared.store.get("doc", writes[0]!.name);
        assert.deepEqual(item?.value, "value" in writes[0]! ? writes[0].value : undefined);
      });
    }
    for (const [name, code, writes] of faults) {
      it(`refuse ${name}, whole`, async () => {
        const state = async (): Promise<readonly number[]> => [
          await shared.store.count({ kind: "doc" }),
          await shared.store.position(),
        ];
        const before = await state();
        const others = writes.length === 0 ? [] : [write("put", "other")];
        await refused(shared.store.commit([...others, ...writes]), code);
        assert.deepEqual(await state(), before);
      });
    }
  });
}
