import assert from "node:assert/strict";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { suite, test } from "node:test";
import { parseValue, parseYaml } from "#base/config";
import { checkConfiguration } from "./check.ts";
import { botConfiguration, type BotConfiguration } from "./configuration.ts";
import { resumableConfiguration } from "./effective.ts";
import { serviceTypes } from "./services/index.ts";

const pin = `sha256:${"ab".repeat(32)}`;
const destination = {
  type: "directory",
  path: "/run/out",
  symlinks: "secure",
  acls: "required",
  readers: [{ user: "deploy" }, { group: "ci" }],
};
const common = { credential_ttl: "2h", renewal_interval: "30m" };

/** Every type with its every field, none at its default. */
const samples: Readonly<Record<keyof typeof serviceTypes, object>> = {
  identity: {
    ...common,
    destination,
    roles: ["access", "editor"],
    allow_reissue: true,
    ssh_config: "off",
  },
  application: {
    ...common,
    app_name: "grafana",
    destination: { ...destination, path: "/run/app" },
    roles: ["access"],
    specific_tls_extensions: true,
  },
  "application-tunnel": {
    ...common,
    app_name: "grafana",
    listen: "tcp://127.0.0.1:3000",
    roles: ["access"],
  },
  "bot-api": {
    listen: "unix:///run/bot/api.sock",
    readers: [{ user: "deploy" }],
    acls: "try",
    allowed_types: ["identity", "app-tunnel"],
    allowed_roles: ["access"],
  },
  "credential-api": {
    path: "/run/bot/credentials.sock",
    roles: ["access"],
    max_ttl: "10m",
    readers: [{ group: "ci" }],
    acls: "off",
  },
};

const parsed = (value: object): BotConfiguration =>
  parseValue({ value, what: "the test", schema: botConfiguration });

const resumed = (bot: BotConfiguration, joined = true) => {
  const text = resumableConfiguration(bot, joined);
  return { text, again: parseYaml({ text, file: "tbot.yaml", schema: botConfiguration }) };
};

suite("the configuration of a running bot, printed and read again", () => {
  for (const [type, sample] of Object.entries(samples))
    test(`keeps every field of ${type}`, () => {
      const service = { type, name: "one", ...sample };
      const { shape } = serviceTypes[type as keyof typeof serviceTypes].schema;
      assert.deepEqual(Object.keys(service).sort(), Object.keys(shape).sort());
      const bot = parsed({ services: [service] });
      assert.deepEqual(resumed(bot).again, bot);
    });

  test("keeps every field of the bot, and leaves its secrets out", () => {
    const bot = parsed({
      proxy_server: "proxy.example.com:443",
      onboarding: {
        token: "robot",
        join_method: "bound_keypair",
        ca_pins: [pin],
        registration_secret: "swordfish",
        bound_keypair: { pkcs11: { module: "/usr/lib/x.so", pin: "swordfish", slot: 3 } },
      },
      storage: "/var/lib/bot",
      credential_ttl: "3h",
      identity_ttl: "24h",
      renewal_interval: "10m",
      diag_addr: "127.0.0.1:4444",
    });
    const { text, again } = resumed(bot);
    assert.doesNotMatch(text, /swordfish|hidden/);
    assert.match(
      text,
      /^# Left out, for they are secret: onboarding\.registration_secret\.\n# Set TBOT_PKCS11_PIN to/m,
    );
    const { registration_secret: _, ...onboarding } = bot.onboarding;
    const { pin: __, ...pkcs11 } = bot.onboarding.bound_keypair.pkcs11!;
    const bound_keypair = { pkcs11: { ...pkcs11, pin_env: "TBOT_PKCS11_PIN" } };
    assert.deepEqual(again, { ...bot, onboarding: { ...onboarding, bound_keypair } });
  });

  test("says that the storage is enough, or that the secrets are needed again", () => {
    const bot = { proxy_server: "a:1", onboarding: { token: "t", registration_secret: "s" } };
    const advised = (storage: string, joined: boolean) =>
      resumed(parsed({ ...bot, storage }), joined).text;
    assert.match(advised("/var/lib/bot", true), /not needed again: the bot's storage holds/);
    assert.match(advised("/var/lib/bot", false), /Give them again/);
    assert.match(advised("memory://", true), /Give them again/);
    const plain = resumed(parsed({ proxy_server: "a:1", onboarding: { token: "t" } })).text;
    assert.doesNotMatch(plain, /secret/);
  });

  const keyFile = join(mkdtempSync(join(tmpdir(), "tenon-key-")), "key");
  writeFileSync(keyFile, "");
  const uris: readonly [uri: string, parameters: object][] = [
    [`tbot+proxy+bound-keypair://robot:sword%2Ffish@p.example:443?ca_pin=${pin}`, {}],
    [`tbot+auth+bound-keypair://robot@[::1]:3025?ca_pin=${pin}`, {}],
    ["tbot+proxy+oidc://ci:CI_TOKEN@p.example:443", { idTokenPlace: { env: "CI_TOKEN" } }],
    [
      "tbot+proxy+kubernetes://ci:%2Frun%2Ftoken@p.example",
      { idTokenPlace: { path: "/run/token" } },
    ],
    ["tbot+proxy+token://tok@p.example:443", {}],
  ];
  for (const [uri, more] of uris)
    test(`joins as ${uri} does, which is not in it`, () => {
      const bot = parsed({ join_uri: uri });
      const { text, again } = resumed(bot);
      assert.doesNotMatch(text, /sword|join_uri/);
      const { registrationSecret: _, staticKeyPath: __, ...wanted } = checkConfiguration(bot);
      assert.deepEqual(checkConfiguration(again), { ...wanted, ...more });
    });

  test("names the key file that a join URI names, where there is one", () => {
    const uri = `tbot+proxy+bound-keypair://robot:${encodeURIComponent(keyFile)}@p.example:443`;
    const { text, again } = resumed(parsed({ join_uri: uri }));
    assert.equal(again.onboarding.bound_keypair.static_key_path, keyFile);
    assert.doesNotMatch(text, /secret/);
    rmSync(join(keyFile, ".."), { recursive: true });
  });

  test("can be started from another directory", () => {
    const bot = parsed({ storage: "bot", services: [{ type: "identity", destination: "./out" }] });
    const { storage, services } = resumed(bot).again;
    assert.partialDeepStrictEqual(storage, { path: join(process.cwd(), "bot") });
    assert.partialDeepStrictEqual(services[0], {
      destination: { path: join(process.cwd(), "out") },
    });
  });
});
