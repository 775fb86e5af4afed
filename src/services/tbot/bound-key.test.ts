import assert from "node:assert/strict";
import { mkdtemp, readdir, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { suite, test } from "node:test";
import { encodeStaticKey, generateKeyPair } from "#base/crypto";
import { silentLogger, systemClock } from "#base/kernel";
import { DirectoryRotationWish, openKeyStore, wishRotation } from "#services/enrolment";
import { makeBoundKey } from "./bound-key.ts";
import { openBotStorage } from "./storage.ts";

async function yard(): Promise<{ path: string } & AsyncDisposable> {
  const path = await mkdtemp(join(tmpdir(), "tenon-keypair-"));
  return { path, [Symbol.asyncDispose]: () => rm(path, { recursive: true }) };
}

type Options = Parameters<typeof makeBoundKey>[0];

const optionsOf = (path: string): Options => ({
  storage: { type: "directory", path, symlinks: "try-secure", acls: "off", readers: [] },
  boundKey: {},
  env: {},
  clock: systemClock,
  log: silentLogger,
  overwrite: false,
});

suite("a bot's bound key", () => {
  test("is made once, shown afterwards, and replaced only on request", async () => {
    await using dir = await yard();
    const options = optionsOf(dir.path);
    const first = await makeBoundKey(options);
    const second = await makeBoundKey(options);
    assert.deepEqual([first.made, second.made], [true, false]);
    assert.ok(first.publicKey.equals(second.publicKey));
    const third = await makeBoundKey({ ...options, overwrite: true });
    assert.ok(third.made && !third.publicKey.equals(first.publicKey));
    assert.equal((await readdir(join(dir.path, "keys"))).length, 2);
  });

  test("is of the suite that was asked for", async () => {
    await using dir = await yard();
    const options = { ...optionsOf(dir.path), boundKey: { key_suite: "ml-dsa-65" as const } };
    const { publicKey } = await makeBoundKey(options);
    assert.equal(publicKey.asymmetricKeyType, "ml-dsa-65");
  });

  test("is the one in use, not one that was made in vain", async () => {
    await using dir = await yard();
    const options = optionsOf(dir.path);
    const { publicKey } = await makeBoundKey(options);
    {
      await using storage = await openBotStorage(options);
      const [key] = await storage.keys.list();
      await storage.join.save({ version: 1, bound_keys: [key!.keyId] });
      await storage.keys.create("ed25519");
    }
    assert.ok((await makeBoundKey(options)).publicKey.equals(publicKey));
  });

  test("is shown while a bot runs, but not replaced", async () => {
    await using dir = await yard();
    const options = optionsOf(dir.path);
    const { publicKey } = await makeBoundKey(options);
    await using _running = await openBotStorage(options);
    assert.ok((await makeBoundKey(options)).publicKey.equals(publicKey));
    await assert.rejects(makeBoundKey({ ...options, overwrite: true }), {
      code: "already_exists",
      message: /is in use by another process/,
    });
  });

  test("that is static is shown, and cannot be replaced", async () => {
    await using dir = await yard();
    const { privateKey, publicKey } = generateKeyPair("ed25519");
    const options = optionsOf(dir.path);
    const given = {
      ...options,
      env: { TBOT_BOUND_KEYPAIR_STATIC_KEY: encodeStaticKey(privateKey) },
    };
    assert.ok((await makeBoundKey(given)).publicKey.equals(publicKey));
    await assert.rejects(makeBoundKey({ ...given, overwrite: true }), {
      code: "bad_parameter",
      message: /static key cannot be rotated or replaced/,
    });
  });
});

suite("where a bound key lives", () => {
  const { privateKey, publicKey } = generateKeyPair("ed25519");
  const text = encodeStaticKey(privateKey);

  test("the path of a static key goes before the environment", async () => {
    await using dir = await yard();
    const path = join(dir.path, "static");
    await writeFile(path, `${text}\n`);
    const other = encodeStaticKey(generateKeyPair("ed25519").privateKey);
    const env = { TBOT_BOUND_KEYPAIR_STATIC_KEY: other };
    const options = { fields: { static_key_path: path }, directory: undefined, env };
    await using opened = await openKeyStore({ ...options, clock: systemClock });
    const [key] = await opened.keys.list();
    assert.ok(key!.publicKey.equals(publicKey));
  });

  const pkcs11 = { module: "/nowhere.so", key_label: "tenon" };
  const refused: [what: string, fields: object, env: Record<string, string>, error: object][] = [
    [
      "a file that is not there",
      { static_key_path: "/nowhere/key" },
      {},
      { code: "not_found", message: /cannot read the static key from "\/nowhere\/key"/ },
    ],
    [
      "an empty file",
      { static_key_path: "/dev/null" },
      {},
      {
        code: "bad_parameter",
        message: /"\/dev\/null", which should hold the static key, is empty/,
      },
    ],
    [
      "a variable with something else",
      {},
      { TBOT_BOUND_KEYPAIR_STATIC_KEY: "s3cret" },
      { code: "bad_parameter", message: /^TBOT_BOUND_KEYPAIR_STATIC_KEY holds no static key/ },
    ],
    [
      "a PIN that no variable holds",
      { pkcs11: { ...pkcs11, pin_env: "PIN" } },
      {},
      { code: "not_found", message: /variable "PIN", which should hold the PIN, is not set/ },
    ],
    [
      "a PIN in a file that is not there",
      { pkcs11: { ...pkcs11, pin_path: "/nowhere/pin" } },
      {},
      { code: "not_found", message: /cannot read the PIN from "\/nowhere\/pin"/ },
    ],
    [
      "a module that is not there",
      { pkcs11: { ...pkcs11, pin: "1" } },
      {},
      { code: "bad_parameter", message: /"\/nowhere.so" is not a PKCS#11 module/ },
    ],
  ];
  for (const [what, fields, env, error] of refused)
    test(`refuses ${what}`, async () => {
      const options = { fields, directory: undefined, env, clock: systemClock };
      await assert.rejects(openKeyStore(options), error);
    });
});

suite("a wish for another bound key", () => {
  test("is about the key of now, and ends with it", async () => {
    await using dir = await yard();
    const options = optionsOf(dir.path);
    await using storage = await openBotStorage(options);
    await assert.rejects(wishRotation(dir.path), { code: "not_found" });
    await storage.join.save({ version: 1, bound_keys: ["one", "zero"] });
    assert.equal(await storage.wish!.wanted("one"), false);
    assert.equal(await wishRotation(dir.path), "one");
    const wish = new DirectoryRotationWish(dir.path);
    assert.deepEqual([await wish.wanted("one"), await wish.wanted("one")], [true, true]);
    assert.equal(await wish.wanted("two"), false);
    assert.equal(await wish.wanted("one"), false);
  });
});
