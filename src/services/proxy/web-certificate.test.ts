import assert from "node:assert/strict";
import { X509Certificate } from "node:crypto";
import { mkdtemp, rm, stat, symlink, unlink, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, test } from "node:test";
import { silentLogger, type Logger } from "#base/kernel";
import { ManualClock } from "#testing/clock";
import { TestAuthority, type TestCertificate } from "#testing/tls";
import { until } from "#testing/wait";
import type { KeyPairFiles } from "./key-pair-files.ts";
import { selfSignedFiles } from "./self-signed.ts";
import { WebCertificate } from "./web-certificate.ts";

const DAY_MS = 86_400_000;

describe("the web certificate", () => {
  let directory: string;
  let clock: ManualClock;
  let warnings: string[];
  const open: AsyncDisposable[] = [];

  beforeEach(async () => {
    directory = await mkdtemp(join(tmpdir(), "tenon-web-"));
    clock = new ManualClock(Date.now());
    warnings = [];
  });
  afterEach(async () => {
    for (const one of open.splice(0)) await one[Symbol.asyncDispose]();
    await rm(directory, { recursive: true });
  });

  async function start(
    options: { names?: readonly string[]; keyPairs?: readonly KeyPairFiles[] } = {},
  ): Promise<WebCertificate> {
    const logger: Logger = {
      ...silentLogger,
      warn: (message, fields) =>
        warnings.push(
          `${message}: ${fields?.["error"] instanceof Error ? fields["error"].message : ""}`,
        ),
    };
    const certificate = await WebCertificate.open({
      dataDir: directory,
      keyPairs: [],
      names: ["example.test", "*.example.test", "127.0.0.1", "::1"],
      clock,
      random: () => 1,
      logger,
      ...options,
    });
    open.push(certificate);
    return certificate;
  }

  const parsed = (certificate: WebCertificate): X509Certificate =>
    new X509Certificate(certificate.current()[0]!.cert);

  describe("made by itself", () => {
    test("is for all names, for a year and a month, and signed by its own key", async () => {
      const certificate = parsed(await start());
      assert.equal(certificate.checkHost("app.example.test"), "*.example.test");
      assert.equal(certificate.checkHost("example.test"), "example.test");
      assert.equal(certificate.checkIP("127.0.0.1"), "127.0.0.1");
      assert.equal(certificate.checkIP("::1"), "::1");
      assert.equal(certificate.checkHost("other.test"), undefined);
      assert.ok(certificate.verify(certificate.publicKey));
      const days = (Date.parse(certificate.validTo) - clock.now()) / DAY_MS;
      assert.ok(days > 396 && days <= 397, `${days}`);
    });

    test("is kept with its key, which only its owner may read", async () => {
      const first = parsed(await start());
      const files = selfSignedFiles(directory);
      assert.equal((await stat(files.key)).mode & 0o777, 0o600);
      assert.equal(parsed(await start()).fingerprint256, first.fingerprint256);
    });

    const anew: [string, () => Promise<unknown>, readonly string[]][] = [
      ["for a new name", async () => {}, ["example.test", "tenon.example.com"]],
      ["a month before its end", async () => clock.jump(368 * DAY_MS), ["example.test"]],
      [
        "when its key is another",
        async () => writeFile(selfSignedFiles(directory).key, other().key),
        ["example.test"],
      ],
      [
        "when it is damaged",
        async () => writeFile(selfSignedFiles(directory).cert, "garbage"),
        ["example.test"],
      ],
      [
        "when its key is gone",
        async () => unlink(selfSignedFiles(directory).key),
        ["example.test"],
      ],
    ];
    for (const [when, act, names] of anew)
      test(`is made anew ${when}`, async () => {
        const first = parsed(await start());
        await act();
        const second = parsed(await start({ names }));
        assert.notEqual(second.fingerprint256, first.fingerprint256);
        assert.ok(names.every((name) => second.checkHost(name)));
      });

    test("is renewed while the proxy runs", async () => {
      const certificate = await start();
      const first = parsed(certificate);
      let changes = 0;
      using _listening = certificate.onChange(() => (changes += 1));
      clock.jump(370 * DAY_MS);
      await until("it is another", async () => {
        await clock.advance(15_000);
        return parsed(certificate).fingerprint256 !== first.fingerprint256;
      });
      assert.equal(changes, 1);
    });
  });

  const authority = new TestAuthority();
  const other = (name = "given.test"): TestCertificate => authority.issue("serverAuth", { name });

  describe("given in files", () => {
    const files = (): KeyPairFiles => ({
      cert: join(directory, "given.crt"),
      key: join(directory, "given.key"),
    });

    async function write(pair: { cert: string; key: string }): Promise<void> {
      await writeFile(files().cert, pair.cert);
      await writeFile(files().key, pair.key);
    }

    test("is read at the start", async () => {
      const pair = other();
      await write(pair);
      const certificate = await start({ keyPairs: [files()] });
      assert.deepEqual(certificate.current(), [{ cert: pair.cert, key: pair.key }]);
    });

    test("is served soon after the files change, also behind a link", async () => {
      const [first, second] = [other(), other()];
      await write(first);
      const link = join(directory, "link.crt");
      await symlink(files().cert, link);
      const certificate = await start({ keyPairs: [{ cert: link, key: files().key }] });
      await write(second);
      await until("the new one is there", async () => {
        await clock.advance(5_000);
        return certificate.current()[0]!.cert === second.cert;
      });
      assert.deepEqual(warnings, []);
    });

    const broken: [string, () => Promise<unknown>, RegExp][] = [
      [
        "is garbage",
        async () => writeFile(files().cert, "garbage"),
        /does not hold a PEM certificate/,
      ],
      [
        "is cut off",
        async () => writeFile(files().cert, other().cert.slice(0, 300)),
        /PEM certificate/,
      ],
      ["has another key", async () => writeFile(files().key, other().key), /does not belong/],
      ["has a key that is none", async () => writeFile(files().key, "x"), /PEM private key/],
      ["is gone", async () => unlink(files().cert), /cannot read ".*given.crt": ENOENT/],
    ];
    for (const [what, act, message] of broken) {
      test(`stays in use when the new one ${what}, with a warning`, async () => {
        const pair = other();
        await write(pair);
        const certificate = await start({ keyPairs: [files()] });
        await act();
        await until("it is warned of", async () => {
          await clock.advance(5_000);
          return warnings.length > 0;
        });
        assert.match(warnings[0]!, message);
        assert.equal(certificate.current()[0]!.cert, pair.cert);
        const repaired = other();
        await write(repaired);
        await until("it is read again", async () => {
          await clock.advance(5_000);
          return certificate.current()[0]!.cert === repaired.cert;
        });
      });

      test(`is an error at the start when it ${what}`, async () => {
        await write(other());
        await act();
        await assert.rejects(start({ keyPairs: [files()] }), { message });
      });
    }
  });
});
