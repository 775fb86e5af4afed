import {
  boundKeyFingerprint,
  boundKeyFromLine,
  boundKeyLine,
  boundKeySuites,
  keyIdOf,
  signJwsWith,
  spkiDer,
  verifyJws,
  type BoundKeySuite,
  type KeyStore,
} from "#base/crypto";
import assert from "node:assert/strict";
import { describe, it } from "node:test";

/** What every key store must do; the test of a store says how to open an empty one, and what it makes. */
export function testKeyStore(
  name: string,
  open: () => Promise<{ readonly store: KeyStore } & AsyncDisposable>,
  suites: readonly [BoundKeySuite, ...BoundKeySuite[]] = boundKeySuites,
): void {
  const [preferred] = suites;
  describe(`the ${name} key store`, () => {
    it(`makes keys of ${suites.join(", ")}`, async () => {
      await using opened = await open();
      assert.deepEqual(opened.store.suites, suites);
    });

    for (const suite of suites)
      it(`makes ${suite} keys that sign and are named by their public half`, async () => {
        await using opened = await open();
        const { store } = opened;
        const key = await store.create(suite);
        assert.equal(key.suite, suite);
        assert.equal(key.keyId, keyIdOf(key.publicKey));
        assert.ok((await store.public(key.keyId)).equals(key.publicKey));
        const jws = await signJwsWith(store, key.keyId, "payload", { kid: key.keyId });
        const { payload, header } = verifyJws(jws, key.publicKey);
        assert.equal(payload.toString(), "payload");
        assert.equal(header["kid"], key.keyId);
        const line = boundKeyLine(key.publicKey);
        assert.ok(boundKeyFromLine(line).equals(key.publicKey));
        assert.equal(boundKeyFingerprint(line), boundKeyFingerprint(key.publicKey));
      });

    it("lists its keys oldest first, also when they are made at once", async () => {
      await using opened = await open();
      const { store } = opened;
      assert.deepEqual(await store.list(), []);
      const first = await store.create(preferred);
      const rest = await Promise.all([1, 2, 3].map(() => store.create(preferred)));
      const ids = (await store.list()).map(({ keyId }) => keyId);
      assert.deepEqual(
        ids,
        [first, ...rest].map(({ keyId }) => keyId),
      );
    });

    it("forgets a removed key and only that", async () => {
      await using opened = await open();
      const { store } = opened;
      const [kept, removed] = [await store.create(preferred), await store.create(suites.at(-1)!)];
      await store.remove(removed.keyId);
      assert.deepEqual(
        (await store.list()).map(({ keyId }) => keyId),
        [kept.keyId],
      );
      await assert.rejects(store.sign(removed.keyId, Buffer.from("x")), { code: "not_found" });
      await store.sign(kept.keyId, Buffer.from("x"));
    });

    it("answers not_found for a key that it never had", async () => {
      await using opened = await open();
      const { store } = opened;
      for (const attempt of [
        () => store.sign("../../etc/passwd", Buffer.from("x")),
        () => store.public("unknown"),
        () => store.remove("unknown"),
        () => signJwsWith(store, "unknown", "payload"),
      ])
        await assert.rejects(attempt, { code: "not_found" });
    });

    it("shows no private key in what it gives", async () => {
      await using opened = await open();
      const { publicKey } = await opened.store.create(preferred);
      assert.equal(publicKey.type, "public");
      assert.ok(spkiDer(publicKey).length > 0);
    });
  });
}
