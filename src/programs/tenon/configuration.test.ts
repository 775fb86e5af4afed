import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { parseYaml, jsonSchemaOf } from "#base/config";
import { codeOf } from "#base/kernel";
import { configuration, type Configuration } from "./configuration.ts";
import { settingsOf } from "./settings.ts";

const surroundings = { env: { HOME: "/people/ada" }, root: false };

const parse = (text: string): Configuration =>
  parseYaml({ text, file: "tenon.yaml", schema: configuration });

describe("tenon.yaml", () => {
  test("may be empty: a cluster on its default port", async () => {
    const settings = await settingsOf(parse("{}"), surroundings);
    assert.deepEqual(settings, {
      dataDir: "/people/ada/.local/state/tenon",
      log: { level: "info", format: "text" },
      cluster: {
        name: undefined,
        listen: { host: "0.0.0.0", port: 3080 },
        publicAddr: undefined,
        keyPairs: [],
      },
      agent: undefined,
      diagnostics: undefined,
    });
  });

  test("has its data where the system keeps such things", async () => {
    const dirs = await Promise.all(
      [
        { env: {}, root: true },
        { env: { XDG_STATE_HOME: "/state", HOME: "/people/ada" }, root: false },
      ].map(async (each) => (await settingsOf(parse("{}"), each)).dataDir),
    );
    assert.deepEqual(dirs, ["/var/lib/tenon", "/state/tenon"]);
  });

  test("says everything that an operator can say", async () => {
    const { cluster, agent, diagnostics, dataDir } = await settingsOf(
      parse(`
version: v1
cluster_name: example.com
data_dir: /srv/tenon
log: { level: debug, format: json }
diag_addr: "[::1]:3000"
auth_service: { enabled: true }
proxy_service:
  listen_addr: "[::]:443"
  public_addr: tenon.example.com:443
  https_keypairs:
    - { cert_file: /etc/tls/a.crt, key_file: /etc/tls/a.key }
app_service:
  apps:
    - name: grafana
      uri: https://localhost:3000
      labels: { env: dev }
      public_addr: grafana.example.com
      insecure_skip_verify: true
      preserve_host: true
      response_timeout: 5m
`),
      surroundings,
    );
    assert.equal(dataDir, "/srv/tenon");
    assert.deepEqual(diagnostics, { host: "::1", port: 3000 });
    assert.deepEqual(cluster, {
      name: "example.com",
      listen: { host: "::", port: 443 },
      publicAddr: "tenon.example.com:443",
      keyPairs: [{ cert: "/etc/tls/a.crt", key: "/etc/tls/a.key" }],
    });
    assert.deepEqual(agent, {
      remote: undefined,
      apps: [
        {
          name: "grafana",
          uri: "https://localhost:3000",
          description: "",
          labels: { env: "dev" },
          publicAddr: "grafana.example.com",
          ca: undefined,
          insecureSkipVerify: true,
          preserveHost: true,
          responseTimeoutMs: 300_000,
        },
      ],
    });
  });

  const agentOnly = `
auth_service: { enabled: false }
proxy_service: { enabled: false }
app_service: { apps: [{ name: db, uri: "tcp://localhost:5432" }] }
`;

  test("may be an agent's alone", async () => {
    const pin = `sha256:${"0".repeat(64)}`;
    const { cluster, agent } = await settingsOf(
      parse(`${agentOnly}
proxy_server: tenon.example.com
join_params: { method: token, token: abc }
ca_pin: ${pin}
`),
      surroundings,
    );
    assert.equal(cluster, undefined);
    assert.deepEqual(agent?.remote, {
      address: { host: "tenon.example.com", port: 3080 },
      caPins: [pin],
      token: "abc",
      registrationSecret: undefined,
      method: "token",
      idTokenPlace: undefined,
      env: surroundings.env,
    });
  });

  test("lets an agent join by its own key, by fields or by a join URI", async () => {
    const pin = `sha256:${"0".repeat(64)}`;
    const uri = `tbot+proxy+bound-keypair://web:s3cret@tenon.example.com:443?ca_pin=${pin}`;
    const texts = [
      `proxy_server: tenon.example.com:443
ca_pin: ${pin}
join_params: { method: bound-keypair, token: web, registration_secret: s3cret }`,
      `join_uri: ${uri}`,
    ];
    for (const text of texts) {
      const { agent } = await settingsOf(parse(`${agentOnly}\n${text}\n`), surroundings);
      assert.deepEqual(agent?.remote, {
        address: { host: "tenon.example.com", port: 443 },
        caPins: [pin],
        token: "web",
        registrationSecret: "s3cret",
        method: "bound_keypair",
        idTokenPlace: undefined,
        env: surroundings.env,
      });
    }
  });

  test("refuses an agent's join URI that does not lead to a proxy, or that says things twice", async () => {
    const through = parse(`${agentOnly}\njoin_uri: tbot+auth+token://abc@a:1\n`);
    await assert.rejects(settingsOf(through, surroundings), /serves through the proxy/);
    for (const twice of ["proxy_server: b:1", "join_params: { token: t }"])
      assert.throws(
        () => parse(`${agentOnly}\njoin_uri: tbot+proxy+token://abc@a:1\n${twice}\n`),
        /is said by join_uri already/,
      );
  });

  const faults: [string, string, RegExp][] = [
    [
      "an unknown field",
      "proxy_servce: {}",
      /tenon.yaml:1:1: .*proxy_servce.*did you mean "proxy_service"/,
    ],
    ["a field in the wrong place", "listen_addr: a:1", /listen_addr.*proxy_service/],
    ["a wrong type", "app_service: { apps: {} }", /app_service.apps: must be a list/],
    ["an address without a port", "proxy_service: { listen_addr: localhost }", /must be host:port/],
    ["a cluster name that is none", "cluster_name: Example_Com", /lower-case DNS name/],
    ["an application that is no label", app("name: Web_1, uri: http://x"), /must be one DNS label/],
    [
      "an application of another protocol",
      app("name: x, uri: ftp://x"),
      /http:\/\/, https:\/\/ or tcp/,
    ],
    ["a TCP application without a port", app("name: x, uri: tcp://x"), /must name a port/],
    [
      "two applications of one name",
      "app_service: { apps: [{ name: x, uri: http://a }, { name: x, uri: http://b }] }",
      /apps\[1\].name.*is there twice/,
    ],
    ["a pin that is none", "ca_pin: sha256:abc", /sha256: and 64/],
    ["another version", "version: v3", /must be "v1"/],
    ["half a cluster", "auth_service: { enabled: false }", /one process runs both/],
    [
      "nothing to run",
      "{ auth_service: { enabled: false }, proxy_service: { enabled: false }, proxy_server: a }",
      /app_service: is needed/,
    ],
    ["an agent without a cluster", agentOnly, /proxy_server: is needed/],
    ["a cluster with another's proxy", "proxy_server: a:1", /only for an agent/],
  ];
  for (const [what, text, message] of faults)
    test(`refuses ${what}`, () => {
      assert.throws(
        () => parse(text),
        (error: Error) => {
          assert.equal(codeOf(error), "bad_parameter");
          assert.match(error.message, message);
          return true;
        },
      );
    });

  test("reports all its faults at once", () => {
    assert.throws(() => parse("{ cluster_name: A_B, ca_pin: x, nonsense: 1 }"), /has 3 faults/);
  });

  test("never quotes a token", () => {
    assert.throws(
      () => parse("join_params: { token: [s3cret] }"),
      (error: Error) => !error.message.includes("s3cret"),
    );
  });

  test("has a JSON Schema that editors can use", () => {
    const schema = jsonSchemaOf(configuration, { title: "tenon.yaml" });
    const properties = schema["properties"] as Record<string, object>;
    assert.ok("proxy_service" in properties);
    assert.equal(schema["additionalProperties"], false);
  });

  test("names a missing file of an application", async () => {
    const read = parse(app("name: x, uri: https://x, ca_file: /nowhere.pem"));
    await assert.rejects(settingsOf(read, surroundings), { code: "not_found" });
  });
});

function app(fields: string): string {
  return `app_service: { apps: [{ ${fields} }] }`;
}
