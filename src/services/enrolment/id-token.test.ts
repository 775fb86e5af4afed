// Where a bot gets its ID token from.
import assert from "node:assert/strict";
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { suite, test } from "node:test";
import { systemClock, type Clock } from "#base/kernel";
import type { IdTokenSource, JoinMethod } from "#domain/join";
import { githubClaims } from "#testing/id-tokens";
import { json, TestIssuer } from "#testing/issuer";
import { refusal } from "#testing/join";
import { decodeJwt } from "jose";
import { idTokenSource, type IdTokenOptions } from "./id-token.ts";

const signal = new AbortController().signal;

function held(method: JoinMethod, options: Partial<IdTokenOptions> = {}): () => Promise<string> {
  const source = sourceOf(method, options);
  assert.ok(source?.kind === "held");
  return async () => await source.read(signal);
}

const sourceOf = (
  method: JoinMethod,
  options: Partial<IdTokenOptions> = {},
): IdTokenSource | undefined => idTokenSource({ method, env: {}, clock: systemClock, ...options });

async function directory(): Promise<AsyncDisposable & { file: (text: string) => Promise<string> }> {
  const path = await mkdtemp(join(tmpdir(), "tenon-id-token-"));
  return {
    file: async (text) => {
      await writeFile(join(path, "token"), text);
      return join(path, "token");
    },
    [Symbol.asyncDispose]: async () => await rm(path, { recursive: true }),
  };
}

suite("ID tokens that lie there", () => {
  for (const name of ["TBOT_GITLAB_JWT", "TENON_JWT"]) {
    test(`of GitLab in ${name}`, async () => {
      assert.equal(await held("gitlab", { env: { [name]: " a.b.c\n" } })(), "a.b.c");
    });
  }

  test("of GitLab in the first of its variables", async () => {
    const env = { TBOT_GITLAB_JWT: "a", TENON_JWT: "b" };
    assert.equal(await held("gitlab", { env })(), "a");
  });

  test("in a variable of one's own", async () => {
    const env = { MINE: "a.b.c", TBOT_GITLAB_JWT: "x" };
    for (const method of ["oidc", "gitlab", "github", "kubernetes"] as const)
      assert.equal(await held(method, { env, place: { env: "MINE" } })(), "a.b.c");
  });

  test("in a file, which is read again each time", async () => {
    await using place = await directory();
    const path = await place.file("one\n");
    const read = held("oidc", { place: { path } });
    assert.equal(await read(), "one");
    await place.file("two");
    assert.equal(await read(), "two");
  });

  const missing: readonly [name: string, read: () => Promise<string>, code: string, why: RegExp][] =
    [
      ["GitLab's variables", held("gitlab"), "not_found", /TBOT_GITLAB_JWT or TENON_JWT/],
      [
        "an empty variable",
        held("gitlab", { env: { TENON_JWT: " " } }),
        "not_found",
        /no ID token/,
      ],
      [
        "Kubernetes' file",
        held("kubernetes"),
        "not_found",
        /"\/var\/run\/secrets\/tokens\/join-sa-token"/,
      ],
      ["a directory", held("oidc", { place: { path: tmpdir() } }), "bad_parameter", /cannot read/],
      ["an endless file", held("oidc", { place: { path: "/dev/zero" } }), "bad_parameter", /65536/],
    ];
  for (const [name, read, code, why] of missing) {
    test(`are missed in ${name}`, async () => {
      const error = await refusal(read());
      assert.match(error.message, why);
      assert.equal(error.code, code);
    });
  }

  test("are missed in an empty file", async () => {
    await using place = await directory();
    const path = await place.file("\n");
    assert.match((await refusal(held("oidc", { place: { path } })())).message, /is empty/);
  });

  test("are nowhere by themselves for oidc, and not needed for others", () => {
    assert.throws(() => sourceOf("oidc"), /give oidc.token_path \(--id-token-path\) or/);
    assert.equal(sourceOf("token"), undefined);
    assert.equal(sourceOf("bound_keypair"), undefined);
  });
});

/** Makes no pause of a second, and every deadline as it is. */
const impatient: Clock = {
  ...systemClock,
  timer: (ms, fire) => systemClock.timer(ms === 1_000 ? 0 : ms, fire),
};

suite("ID tokens of GitHub", () => {
  const open = (): Promise<TestIssuer> =>
    TestIssuer.open({ clock: systemClock, claims: githubClaims });

  function request(issuer: TestIssuer, options: Partial<IdTokenOptions> = {}): Promise<string> {
    const env = {
      ACTIONS_ID_TOKEN_REQUEST_URL: issuer.requestUrl,
      ACTIONS_ID_TOKEN_REQUEST_TOKEN: issuer.requestToken,
    };
    const source = sourceOf("github", { env, ca: [issuer.ca], ...options });
    assert.ok(source?.kind === "on_demand");
    return source.request("cluster.example/a b&c", signal);
  }

  test("are asked for with the audience", async () => {
    await using issuer = await open();
    const claims = decodeJwt(await request(issuer));
    assert.equal(claims.aud, "cluster.example/a b&c");
    assert.equal(claims["repository"], "octo/app");
  });

  for (const name of ["ACTIONS_ID_TOKEN_REQUEST_URL", "ACTIONS_ID_TOKEN_REQUEST_TOKEN"]) {
    test(`are not to be had without ${name}`, async () => {
      await using issuer = await open();
      const env = {
        ACTIONS_ID_TOKEN_REQUEST_URL: issuer.requestUrl,
        ACTIONS_ID_TOKEN_REQUEST_TOKEN: issuer.requestToken,
        [name]: "",
      };
      const error = await refusal(request(issuer, { env }));
      assert.equal(error.code, "not_found");
      assert.match(error.message, /id-token: write/);
    });
  }

  test("are asked for again when an answer goes astray", async () => {
    await using issuer = await open();
    issuer.answer("request", (_, response) => {
      issuer.answer("request", undefined);
      response.writeHead(503).end();
    });
    const asking = request(issuer, { clock: impatient });
    assert.equal(decodeJwt(await asking)["repository"], "octo/app");
  });

  const faults: readonly [
    name: string,
    answer: (response: Parameters<typeof json>[0]) => void,
    why: RegExp,
  ][] = [
    ["nothing", (response) => json(response, {}), /holds none/],
    ["an empty token", (response) => json(response, { value: "" }), /holds none/],
    ["a refusal", (response) => void response.writeHead(403).end(), /status 403/],
    ["a redirect", (response) => void response.writeHead(302, { location: "/" }).end(), /redirect/],
  ];
  for (const [name, answer, why] of faults) {
    test(`are not taken from ${name}, three times`, async () => {
      await using issuer = await open();
      issuer.answer("request", (_, response) => answer(response));
      const error = await refusal(request(issuer, { clock: impatient }));
      assert.equal(issuer.count("request"), 3);
      assert.equal(error.code, "unavailable");
      assert.match(error.message, why);
      assert.doesNotMatch(error.message, new RegExp(issuer.requestToken));
    });
  }

  test("are asked for over TLS only", async () => {
    await using issuer = await open();
    const env = {
      ACTIONS_ID_TOKEN_REQUEST_URL: issuer.requestUrl.replace("https", "http"),
      ACTIONS_ID_TOKEN_REQUEST_TOKEN: issuer.requestToken,
    };
    const error = await refusal(request(issuer, { env, clock: impatient }));
    assert.match(error.message, /not an https:\/\/ address/);
  });
});
