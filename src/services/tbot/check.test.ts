import assert from "node:assert/strict";
import { suite, test } from "node:test";
import { parseYaml } from "#base/config";
import { checkConfiguration } from "./check.ts";
import { botConfiguration, nameServices } from "./configuration.ts";
import { effectiveConfiguration } from "./effective.ts";

const read = (text: string) => parseYaml({ text, file: "tbot.yaml", schema: botConfiguration });
const base = "proxy_server: tenon.example:3080\nonboarding: { token: ci }\n";
const uri = "tbot+proxy+bound-keypair://ci:s3cret@tenon.example:443";

suite("a bot's configuration", () => {
  const refused: [name: string, text: string, message: RegExp][] = [
    ["no address", "onboarding: { token: ci }", /no address/],
    ["two addresses", `${base}auth_server: a:1`, /more than one address/],
    ["no token", "proxy_server: a:1", /no join token/],
    [
      "a token beside a join URI",
      `join_uri: ${uri}\nonboarding: { token: x }`,
      /token is given twice/,
    ],
    [
      "a renewal that comes too late",
      `${base}credential_ttl: 10m`,
      /renewal_interval 20m is not shorter than credential_ttl 10m/,
    ],
    ["a lifetime over a day", `${base}credential_ttl: 25h`, /longer than the 24h/],
    [
      "two services at one destination",
      `${base}services:\n- { type: identity, destination: /out }\n- { type: application, app_name: a, destination: /out/ }`,
      /"identity-1" and "app-1" have the same destination "\/out"/,
    ],
    [
      "two services at one listener",
      `${base}services:\n- { type: app-tunnel, app_name: a, listen: tcp://127.0.0.1:1 }\n- { type: app-tunnel, app_name: b, listen: tcp://127.0.0.1:1 }`,
      /same listen "tcp:\/\/127.0.0.1:1"/,
    ],
    [
      "two services of one name",
      `${base}services:\n- { type: identity, name: x, destination: /a }\n- { type: identity, name: x, destination: /b }`,
      /same name "x"/,
    ],
    [
      "a bad address",
      "proxy_server: 'http://a'\nonboarding: { token: ci }",
      /"http:\/\/a" is not an address/,
    ],
  ];
  for (const [name, text, message] of refused)
    test(`refuses ${name}`, () => {
      assert.throws(() => checkConfiguration(read(text)), { code: "bad_parameter", message });
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
