import assert from "node:assert/strict";
import { it } from "node:test";
import { testKeyStore } from "#testing/key-store-suite";
import { generateKeyPair } from "./keys.ts";
import { MemoryKeyStore } from "./memory-key-store.ts";

testKeyStore("memory", async () => ({
  store: new MemoryKeyStore(),
  [Symbol.asyncDispose]: async () => {},
}));

it("the memory key store begins with the keys that it is given", async () => {
  const { privateKey, publicKey } = generateKeyPair("ed25519");
  const [key] = await new MemoryKeyStore([privateKey]).list();
  assert.ok(key?.publicKey.equals(publicKey));
});
