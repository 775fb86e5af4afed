// Keys in a token: SoftHSM, and a TPM 2.0 that another process plays.
import assert from "node:assert/strict";
import { execFile } from "node:child_process";
import { after, describe, it } from "node:test";
import { promisify } from "node:util";
import { setFlagsFromString } from "node:v8";
import { runInNewContext } from "node:vm";
import { boundKeyLine, Pkcs11KeyStore, type Pkcs11Options } from "#base/crypto";
import { systemClock } from "#base/kernel";
import { JoinCluster } from "#testing/join";
import { Machine } from "#testing/join-machine";
import { testKeyStore } from "#testing/key-store-suite";
import { needs } from "#testing/needs";
import { closeAllSessions, openSoftHsm, openTpm, PIN, type TestToken } from "#testing/tokens";

const run = promisify(execFile);

/** Opened by the first test that asks; a module reads its environment when it is first called. */
function shared(open: () => Promise<TestToken>): () => Promise<TestToken> {
  let opened: Promise<TestToken> | undefined;
  const enter = async (): Promise<TestToken> => {
    const token = await open();
    Object.assign(process.env, token.env);
    return token;
  };
  after(async () => await (await opened)?.[Symbol.asyncDispose]());
  return () => (opened ??= enter());
}

const optionsOf = ({ module, label }: TestToken): Pkcs11Options => ({
  module,
  tokenLabel: label,
  pin: PIN,
  keyLabel: "tenon",
  clock: systemClock,
});

const open = (token: TestToken, changes: Partial<Pkcs11Options> = {}): Promise<Pkcs11KeyStore> =>
  Pkcs11KeyStore.open({ ...optionsOf(token), ...changes });

/** A label of its own for each test: an empty store in the same token. */
function emptyStores(token: () => Promise<TestToken>): Parameters<typeof testKeyStore>[1] {
  let number = 0;
  return async () => {
    const store = await open(await token(), { keyLabel: `store-${number++}` });
    return { store, [Symbol.asyncDispose]: () => store[Symbol.asyncDispose]() };
  };
}

/** A machine joins by the public key alone, refreshes, rotates, comes back, and is opened again. */
async function livesIn(token: TestToken): Promise<void> {
  await using cluster = await JoinCluster.open();
  await using keys = await open(token, { keyLabel: "life" });
  const [suite] = keys.suites;
  const first = await keys.create(suite!);
  const onboarding = { initial_public_key: boundKeyLine(first.publicKey) };
  await cluster.addBoundToken("t", { onboarding, recovery: { limit: 2 } });
  const machine = new Machine(cluster, { token: "t" }, { keys });
  assert.equal((await machine.join()).refreshed, false);
  assert.equal((await machine.join()).refreshed, true);

  await cluster.clock.advance(1000);
  const rotate_after = new Date(cluster.clock.now()).toISOString();
  await cluster.editBound("t", (bound) => ({ ...bound, rotate_after }));
  await machine.join();
  const [, second] = await keys.list();
  assert.equal((await cluster.bound("t")).bound_public_key, boundKeyLine(second!.publicKey));
  assert.equal(second!.suite, suite);

  await machine.loseCertificate();
  await using again = await open(token, { keyLabel: "life" });
  const { storage } = machine;
  await new Machine(cluster, { token: "t" }, { keys: again, storage }).join();
  assert.equal((await cluster.bound("t")).recovery_count, 2);
  assert.deepEqual(await cluster.reasons(), []);
}

describe("SoftHSM", needs("softhsm2-util", "pkcs11-tool"), () => {
  const softHsm = shared(() => openSoftHsm("locked"));

  testKeyStore("PKCS#11 (SoftHSM)", emptyStores(softHsm), ["ed25519", "ecdsa-p256"]);

  it("holds the bound key of a machine for its whole life", async () => {
    await livesIn(await softHsm());
  });

  it("still has its functions after garbage was collected", async () => {
    await using store = await open(await softHsm(), { keyLabel: "collected" });
    setFlagsFromString("--expose-gc");
    const collect = runInNewContext("gc") as () => void;
    const { keyId } = await store.create("ed25519");
    for (let i = 0; i < 5; i++) {
      collect();
      await new Promise(setImmediate);
      assert.equal((await store.sign(keyId, Buffer.from("x"))).length, 64);
    }
  });

  it("keeps keys in order for the next start, beside the keys that others made", async () => {
    const token = await softHsm();
    const tool = ["--module", token.module, "--token-label", "bot", "--login", "--pin", PIN];
    const make = ["--keypairgen", "--key-type", "EC:prime256v1", "--label", "order", "--id", "ff"];
    await run("pkcs11-tool", [...tool, ...make]);
    await using store = await open(token, { keyLabel: "order" });
    const [foreign] = await store.list();
    const made = [await store.create("ed25519"), await store.create("ecdsa-p256")];
    await using again = await open(token, { keyLabel: "order" });
    assert.deepEqual(
      (await again.list()).map(({ keyId }) => keyId),
      [foreign, ...made].map((key) => key!.keyId),
    );
    const signature = await again.sign(foreign!.keyId, Buffer.from("x"));
    assert.equal(signature.length, 64);
  });

  it("makes keys that cannot be taken out", async () => {
    const token = await softHsm();
    await using store = await open(token, { keyLabel: "inside" });
    await store.create("ed25519");
    await store.create("ecdsa-p256");
    const tool = ["--module", token.module, "--token-label", "bot", "--login", "--pin", PIN];
    const { stdout } = await run("pkcs11-tool", [...tool, "--list-objects"]);
    const ours = stdout.split(/^(?=\w.* Object)/m).filter((text) => /label: +inside/.test(text));
    const secrets = ours.filter((text) => text.startsWith("Private Key"));
    assert.equal(secrets.length, 2);
    for (const text of secrets) assert.match(text, /never extractable/);
  });

  it("opens a new session when it has lost its own", async () => {
    const token = await softHsm();
    await using store = await open(token, { keyLabel: "lost" });
    const { keyId } = await store.create("ed25519");
    await using other = await open(token, { keyLabel: "lost" });
    closeAllSessions(token);
    assert.equal((await store.sign(keyId, Buffer.from("x"))).length, 64);
    assert.equal((await other.list()).length, 1);
  });

  it("refuses a wrong PIN", async () => {
    const token = await softHsm();
    const wrong = { code: "access_denied", message: /token "locked".*PIN is wrong/ };
    await assert.rejects(open(token, { tokenLabel: "locked", pin: "000000" }), wrong);
    await using _store = await open(token, { tokenLabel: "locked" });
  });

  it("does not try a PIN again that the token has refused, for a few wrong ones lock it", async () => {
    const token = await softHsm();
    let pin = PIN;
    const asked: string[] = [];
    await using store = await Pkcs11KeyStore.open({
      ...optionsOf(token),
      tokenLabel: "locked",
      get pin() {
        asked.push(pin);
        return pin;
      },
    });
    const { keyId } = await store.create("ed25519");
    pin = "000000";
    for (let round = 0; round < 3; round++) {
      closeAllSessions(token);
      const wrong = { code: "access_denied", message: /PIN is wrong/ };
      await assert.rejects(store.sign(keyId, Buffer.from("x")), wrong);
    }
    assert.deepEqual(asked, [PIN, "000000"]);
  });

  const refused: Readonly<Record<string, readonly [Partial<Pkcs11Options>, object]>> = {
    "a module that is not there": [
      { module: "/nowhere/module.so" },
      { code: "bad_parameter", message: /"\/nowhere\/module.so" is not a PKCS#11 module/ },
    ],
    "a library that is no module": [
      { module: "libc.so.6" },
      { code: "bad_parameter", message: /C_GetFunctionList/ },
    ],
    "a token that is not there": [
      { tokenLabel: "other" },
      { code: "not_found", message: /no such token; it has .*"bot" in slot \d+/ },
    ],
    "a slot of another token": [{ slot: 4_294_967_295 }, { code: "not_found" }],
  };
  for (const [name, [changes, error]] of Object.entries(refused))
    it(`refuses ${name}`, async () => {
      await assert.rejects(open(await softHsm(), changes), error);
    });

  it("refuses a suite that the token cannot make", async () => {
    await using store = await open(await softHsm(), { keyLabel: "suites" });
    await assert.rejects(store.create("ml-dsa-65"), {
      code: "bad_parameter",
      message: /makes no keys of suite "ml-dsa-65"; it has ed25519, ecdsa-p256/,
    });
  });
});

const forTpm = needs(
  "swtpm",
  "tpm2-abrmd",
  "dbus-daemon",
  "pkcs11-tool",
  "pkcs11/libtpm2_pkcs11.so",
  "libtss2-tcti-swtpm.so.0",
  "libtss2-tcti-tabrmd.so.0",
);

describe("a TPM 2.0", forTpm, () => {
  const tpm = shared(openTpm);

  testKeyStore("PKCS#11 (TPM 2.0)", emptyStores(tpm), ["ecdsa-p256"]);

  it("holds the bound key of a machine for its whole life", async () => {
    await livesIn(await tpm());
  });
});
