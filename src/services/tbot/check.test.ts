import assert from "node:assert/strict";
import { suite, test } from "node:test";
import { parseYaml } from "#base/config";
import { checkConfiguration } from "./check.ts";
import { botConfiguration } from "./configuration.ts";
import { effectiveConfiguration } from "./effective.ts";
import { nameServices } from "./names.ts";

const read = (text: string) => parseYaml({ text, file: "tbot.yaml", schema: botConfiguration });
const base = "proxy_server: tenon.example:3080\nonboarding: { token: ci }\n";
const uri = "tbot+proxy+bound-keypair://ci:s3cret@tenon.example:443";

suite("a bot's configuration", () => {
  const services = (...texts: readonly string[]): string =>
    `${base}services:\n${texts.map((text) => `- ${text}\n`).join("")}`;

  const incomplete: [name: string, text: string, message: RegExp][] = [
    ["no address", "onboarding: { token: ci }", /^no address: .*--proxy-server/],
    ["no token", "proxy_server: a:1", /^no join token: .*--token/],
    ["neither", "{}", /no address.*\n.*no join token/],
  ];
  for (const [name, text, message] of incomplete)
    test(`may have ${name}, but no bot starts with it`, () => {
      const configuration = read(text);
      assert.throws(() => checkConfiguration(configuration), { code: "bad_parameter", message });
    });

  const refused: [name: string, text: string, message: RegExp][] = [
    ["two addresses", `${base}auth_server: a:1`, /^tbot.yaml:3:\d+: auth_server: is a second/],
    [
      "a token beside a join URI",
      `join_uri: ${uri}\nonboarding: { token: x }`,
      /^tbot.yaml:2:\d+: onboarding.token: is given twice/,
    ],
    [
      "two secrets",
      "onboarding:\n  registration_secret: a\n  registration_secret_path: b",
      /^tbot.yaml:3:\d+: .*stands beside registration_secret/,
    ],
    [
      "a renewal that comes too late",
      `${base}credential_ttl: 10m`,
      /renewal_interval: is 20m, not shorter than credential_ttl, which is 10m/,
    ],
    [
      "a service's renewal that comes too late",
      services("{ type: identity, destination: /a, renewal_interval: 2h }"),
      /^tbot.yaml:4:\d+: services\[0\].renewal_interval: is 2h/,
    ],
    ["an identity for over a week", `${base}credential_ttl: 169h`, /longer than the 168h/],
    [
      "an identity_ttl of over a week",
      `${base}identity_ttl: 8d`,
      /^tbot.yaml:3:\d+: identity_ttl: is 8d, longer than the 168h/,
    ],
    [
      "a renewal that comes too late for the identity",
      `${base}identity_ttl: 10m`,
      /renewal_interval: is 20m, not shorter than identity_ttl, which is 10m/,
    ],
    [
      "a static key and a token for it",
      "onboarding:\n  bound_keypair:\n    static_key_path: /k\n    pkcs11: { module: /m, pin: '1' }",
      /^tbot.yaml:4:\d+: onboarding.bound_keypair.pkcs11: stands beside static_key_path/,
    ],
    [
      "a suite for a key that is given",
      "onboarding:\n  bound_keypair:\n    static_key_path: /k\n    key_suite: ml-dsa-65",
      /^tbot.yaml:4:\d+: onboarding.bound_keypair.key_suite: is for new keys/,
    ],
    [
      "an unknown suite",
      "onboarding:\n  bound_keypair: { key_suite: rsa }",
      /^tbot.yaml:2:\d+: onboarding.bound_keypair.key_suite: .*ed25519/,
    ],
    [
      "a token without a PIN",
      "onboarding:\n  bound_keypair:\n    pkcs11: { module: /m }",
      /^tbot.yaml:3:\d+: onboarding.bound_keypair.pkcs11: has no PIN: give one of pin, pin_path, pin_env/,
    ],
    [
      "a token with two PINs",
      "onboarding:\n  bound_keypair:\n    pkcs11:\n      { module: /m, pin: '1',\n        pin_env: PIN }",
      /^tbot.yaml:5:\d+: onboarding.bound_keypair.pkcs11.pin_env: is a second PIN/,
    ],
    [
      "an output that goes nowhere",
      services("{ type: identity }"),
      /^tbot.yaml:4:\d+: services\[0\].destination: is required; it must be a string or a map$/m,
    ],
    [
      "a socket beside a service at the same path",
      `${services("{ type: credential-api, path: /a/s }")}sockets: [{ path: "unix:///a/b/../s" }]`,
      /sockets\[0\].path: is the same listen "unix:\/\/\/a\/s" that service "credential-api-1" has/,
    ],
    [
      "an output for over a day",
      services("{ type: identity, destination: /a, credential_ttl: 25h }"),
      /^tbot.yaml:4:\d+: .*longer than the 24h/,
    ],
    [
      "an output that takes over the bot's long life",
      `${services("{ type: identity, destination: /a }")}credential_ttl: 48h`,
      /longer than the 24h/,
    ],
    [
      "two services at one destination, however it is written",
      services(
        "{ type: identity, destination: out }",
        "{ type: application, app_name: a, destination: ./x/../out/ }",
      ),
      /^tbot.yaml:5:\d+: .*is the same directory ".*\/out" that service "identity-1" has/,
    ],
    [
      "a service in the bot's own storage",
      `${services("{ type: identity, destination: /bot }")}storage: file:///bot`,
      /that storage has/,
    ],
    [
      "two services at one listener",
      services(
        "{ type: app-tunnel, app_name: a, listen: tcp://127.0.0.1:1 }",
        "{ type: app-tunnel, app_name: b, listen: tcp://127.0.0.1:1 }",
      ),
      /^tbot.yaml:5:\d+: services\[1\].listen: is the same listen "tcp:\/\/127.0.0.1:1"/,
    ],
    [
      "a service at the diagnostics' address",
      `${services("{ type: app-tunnel, app_name: a, listen: tcp://127.0.0.1:1 }")}diag_addr: 127.0.0.1:1`,
      /that diag_addr has/,
    ],
    [
      "two services of one name",
      services(
        "{ type: identity, name: x, destination: /a }",
        "{ type: identity, name: x, destination: /b }",
      ),
      /^tbot.yaml:5:\d+: services\[1\].name: is the same name "x"/,
    ],
    [
      "a service with the name of the bot's own",
      services("{ type: identity, name: bot-identity, destination: /a }"),
      /that the bot's own identity has/,
    ],
    [
      "a tunnel of a bot that ends",
      `${services("{ type: app-tunnel, app_name: a, listen: tcp://127.0.0.1:1 }")}oneshot: true`,
      /"application-tunnel", whose work is never done/,
    ],
    [
      "a bad address",
      "proxy_server: 'http://a'",
      /^tbot.yaml:1:\d+: .*"http:\/\/a" is not an address/,
    ],
    ["bad diagnostics", "diag_addr: 127.0.0.1", /^tbot.yaml:1:\d+: diag_addr: .*is not an address/],
    ["a bad join URI", "join_uri: https://a", /^tbot.yaml:1:\d+: join_uri: .*tbot\+/],
    [
      "a port that is none",
      services("{ type: app-tunnel, app_name: a, listen: tcp://127.0.0.1:65536 }"),
      /at most 65535/,
    ],
  ];
  for (const [name, text, message] of refused)
    test(`has no ${name}`, () => {
      assert.throws(() => read(text), { code: "bad_parameter", message });
    });

  test("may have many services on ports that the system chooses", () => {
    const tunnel = "{ type: app-tunnel, app_name: a, listen: tcp://127.0.0.1:0 }";
    assert.equal(read(services(tunnel, tunnel)).services.length, 2);
  });

  test("is checked once more with a service from the command line", () => {
    const given = read(services("{ type: identity, destination: /a }"));
    assert.throws(
      () => checkConfiguration({ ...given, services: [...given.services, ...given.services] }),
      { code: "bad_parameter", message: /^services.1.destination is the same directory "\/a"/ },
    );
  });

  test("an unknown field is placed and a near one named", () => {
    assert.throws(
      () => read(`${base}services:\n- { type: application, app_nam: a, destination: /a }`),
      {
        code: "bad_parameter",
        message: /tbot.yaml:4:\d+.*app_nam.*did you mean.*app_name/s,
      },
    );
  });

  test("an unknown service names the nearest", () => {
    assert.throws(() => read(`${base}services:\n- { type: aplication }`), {
      message: /aplication.*application/s,
    });
  });

  test("aliases of services and fields are accepted", () => {
    const [service] = read(
      `${base}services:\n- { type: app-tunnel, app: a, listen: 'tcp://127.0.0.1:0' }`,
    ).services;
    assert.partialDeepStrictEqual(service, { type: "application-tunnel", app_name: "a" });
  });

  test("a join URI gives everything that joining needs", () => {
    assert.deepEqual(checkConfiguration(read(`join_uri: ${uri}`)), {
      address: { host: "tenon.example", port: 443 },
      method: "bound_keypair",
      token: "ci",
      caPins: [],
      registrationSecret: "s3cret",
    });
  });

  const parameters: [what: string, parameter: string, path: string | undefined][] = [
    ["a secret", "s3cret", undefined],
    ["a secret with a slash within", "c2Vj%2FcmV0", undefined],
    ["an absolute path", "%2Fetc%2Fkey", "/etc/key"],
    ["a relative path", ".%2Fkey", "./key"],
    ["a path that goes up", "..%2Fkey", "../key"],
  ];
  for (const [what, parameter, path] of parameters)
    test(`a join URI may carry ${what}`, () => {
      const given = checkConfiguration(read(`join_uri: ${uri.replace("s3cret", parameter)}`));
      assert.equal(given.staticKeyPath, path);
      assert.equal(given.registrationSecret, decodeURIComponent(parameter));
    });

  test("the bot's own identity may live for a week, and its outputs for a day", () => {
    const given = read(
      `${base}identity_ttl: 7d\nrenewal_interval: 23h\ncredential_ttl: 24h\nservices:\n- { type: identity, destination: /a }`,
    );
    assert.deepEqual([given.identity_ttl, given.credential_ttl], ["7d", "24h"]);
  });

  test("services are named by their short type and the first free number", () => {
    const { services } = read(
      `${base}services:\n- { type: identity, destination: /a }\n- { type: identity, destination: /b, name: identity-2 }\n- { type: ssh, destination: /c }`,
    );
    assert.deepEqual(
      nameServices(services).map(({ name }) => name),
      ["identity-1", "identity-2", "identity-3"],
    );
  });

  test("the effective configuration reads back as itself, without the secret", () => {
    const given = read(`${base}services:\n- { type: identity, destination: /a }`);
    const text = effectiveConfiguration(given);
    assert.deepEqual(effectiveConfiguration(read(text)), text);
    assert.doesNotMatch(effectiveConfiguration(read(`join_uri: ${uri}`)), /s3cret/);
  });
});
