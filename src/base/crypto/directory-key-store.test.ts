import assert from "node:assert/strict";
import { chmod, copyFile, mkdtemp, readdir, readFile, rm, stat, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { describe, it } from "node:test";
import { testKeyStore } from "#testing/key-store-suite";
import { DirectoryKeyStore } from "./directory-key-store.ts";
import type { KeyHandle } from "./key-store.ts";
import { keySuites } from "./public-key.ts";
import { sshPublicKeyLine } from "./ssh-key.ts";

async function open(): Promise<{ directory: string; store: DirectoryKeyStore } & AsyncDisposable> {
  const parent = await mkdtemp(join(tmpdir(), "tenon-keys-"));
  const directory = join(parent, "keys");
  return {
    directory,
    store: await DirectoryKeyStore.open(directory),
    [Symbol.asyncDispose]: () => rm(parent, { recursive: true }),
  };
}

testKeyStore("directory", open);

describe("the directory key store", () => {
  it("keeps its keys, in order, for the next start", async () => {
    await using opened = await open();
    const { store, directory } = opened;
    const made = [];
    for (const suite of [...keySuites, ...keySuites, ...keySuites])
      made.push(await store.create(suite));
    const again = await DirectoryKeyStore.open(directory);
    const ids = (keys: readonly KeyHandle[]): string[] => keys.map(({ keyId }) => keyId);
    assert.deepEqual(ids(await again.list()), ids(made));
    await again.remove(made.shift()!.keyId);
    const third = await again.create("ed25519");
    const after = await (await DirectoryKeyStore.open(directory)).list();
    assert.deepEqual(ids(after), [...ids(made), third.keyId]);
  });

  it("writes private files in a private directory, with the public key beside", async () => {
    await using opened = await open();
    const { store, directory } = opened;
    const { keyId, publicKey } = await store.create("ed25519");
    const mode = async (path: string): Promise<number> => (await stat(path)).mode & 0o777;
    assert.equal(await mode(directory), 0o700);
    const names = await readdir(directory);
    assert.deepEqual(names.sort(), [`key-000001-${keyId}.pem`, `key-000001-${keyId}.pub`]);
    for (const name of names) assert.equal(await mode(join(directory, name)), 0o600);
    const line = await readFile(join(directory, names[1]!), "utf8");
    assert.equal(line, `${sshPublicKeyLine(publicKey)}\n`);
    await store.remove(keyId);
    assert.deepEqual(await readdir(directory), []);
  });

  it("names a damaged or exchanged key file when it opens, and ignores other files", async () => {
    await using opened = await open();
    const { store, directory } = opened;
    const first = await store.create("ed25519");
    const second = await store.create("ed25519");
    await writeFile(join(directory, "notes.txt"), "mine");
    assert.equal((await (await DirectoryKeyStore.open(directory)).list()).length, 2);
    const file = (number: number, id: string): string =>
      join(directory, `key-00000${number}-${id}.pem`);
    await copyFile(file(1, first.keyId), file(2, second.keyId));
    const damaged = { code: "bad_parameter", message: /key-000002-.* is damaged/ };
    await assert.rejects(DirectoryKeyStore.open(directory), damaged);
    await writeFile(file(2, second.keyId), "-----BEGIN PRIVATE KEY-----\n");
    await assert.rejects(DirectoryKeyStore.open(directory), damaged);
  });

  it("makes a directory that was open private again", async () => {
    await using opened = await open();
    await chmod(opened.directory, 0o755);
    await DirectoryKeyStore.open(opened.directory);
    assert.equal((await stat(opened.directory)).mode & 0o777, 0o700);
  });

  it("keeps no key that it could not write", async () => {
    await using opened = await open();
    await rm(opened.directory, { recursive: true });
    await assert.rejects(opened.store.create("ed25519"), { code: "not_found" });
    assert.deepEqual(await opened.store.list(), []);
  });
});
