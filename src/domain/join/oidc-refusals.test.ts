// Everything for which an ID token lets nobody in: one answer for all of it, and the reason in the log.
import assert from "node:assert/strict";
import { randomUUID } from "node:crypto";
import { suite, test } from "node:test";
import { create } from "@bufbuild/protobuf";
import { InitSchema, OidcInitSchema, SolutionSchema } from "@tenon/api/tenon/join/v1/join";
import * as fc from "fast-check";
import { generateKeyPair, spkiDer, sshPublicKeyLine } from "#base/crypto";
import { CodedError } from "#base/kernel";
import { gitlabClaims, IdTokens, kubernetesClaims, type TestClaims } from "#testing/id-tokens";
import { refusal } from "#testing/join";
import type { Machine } from "#testing/join-machine";
import { OidcWorld } from "#testing/oidc-world";
import type { JoinMessage } from "./protocol.ts";

const STRANGER =
  "the join was refused: the token, its secret or the key is not valid here; the cluster's audit log has the reason";
const HOUR_S = 3600;

interface Row {
  readonly name: string;
  readonly machine: (world: OidcWorld) => Promise<Machine> | Machine;
  readonly reason: RegExp;
}

const withSpec =
  (spec: object, claims: TestClaims = {}) =>
  async (world: OidcWorld): Promise<Machine> => {
    await world.addToken("t", spec);
    return await world.held(claims);
  };

const withToken =
  (make: (world: OidcWorld) => Promise<string> | string) =>
  async (world: OidcWorld): Promise<Machine> => {
    const text = await make(world);
    return world.machine({ idToken: { kind: "held", read: async () => text } });
  };

const later = (world: OidcWorld, seconds: number): number =>
  world.cluster.clock.now() / 1000 + seconds;

const rows: readonly Row[] = [
  {
    name: "an unknown token",
    machine: async (world) => world.machine({ ...(await world.held()).settings, token: "nobody" }),
    reason: /no such token/,
  },
  {
    name: "a token of another method",
    machine: async (world) => {
      await world.cluster.addBoundToken("bound");
      return world.machine({ ...(await world.held()).settings, token: "bound" });
    },
    reason: /for join method "bound_keypair"/,
  },
  {
    name: "a token that has expired",
    machine: async (world) => {
      await world.addToken("t", {}, new Date(world.cluster.clock.now() + 1000).toISOString());
      const machine = await world.held();
      world.cluster.clock.jump(1000);
      return machine;
    },
    reason: /no such token|expired at/,
  },
  {
    name: "a token for agents",
    machine: withSpec({ roles: ["App"], bot_name: undefined }),
    reason: /for App, not for "Bot"/,
  },
  {
    name: "a token whose bot is gone",
    machine: async (world) => {
      await world.cluster.remove("bot", "robo");
      return await world.held();
    },
    reason: /bot "robo" does not exist/,
  },
  {
    name: "an ID token that is none",
    machine: withToken(() => "eyJhbGciOiJub25lIn0"),
    reason: /not a compact JWS/,
  },
  {
    name: "an ID token without a signature",
    machine: withToken(() => "eyJhbGciOiJub25lIn0.e30.AA"),
    reason: /algorithm "none" is not one of RS256/,
  },
  {
    name: "an ID token of another issuer",
    machine: (world) => world.held({ iss: "https://evil.example" }),
    reason: /says it is of issuer "https:\/\/evil\.example", not "https:\/\/token\.actions/,
  },
  {
    name: "an ID token that someone else signed",
    machine: withToken(async (world) => {
      const other = await IdTokens.open(world.tokens.issuer, world.cluster.clock);
      return await other.sign({ aud: "test.example", sub: "x" }, { kid: world.tokens.key.kid });
    }),
    reason: /the signature is not by the issuer's key/,
  },
  {
    name: "an ID token by an unknown key",
    machine: (world) => world.held({}, { kid: "other" }),
    reason: /the issuer has no key of this id and algorithm/,
  },
  {
    name: "an issuer that does not answer",
    machine: (world) => {
      world.cluster.published.clear();
      return world.held();
    },
    reason: /no key to verify the ID token with: issuer "https:.*": no answer/,
  },
  {
    name: "an issuer that publishes nothing of use",
    machine: (world) => {
      world.cluster.published.set(world.tokens.issuer, { keys: [] });
      return world.held();
    },
    reason: /holds no sound public/,
  },
  {
    name: "an ID token for another cluster",
    machine: (world) => world.held({ aud: "other.example" }),
    reason: /claim "aud" is "other\.example"/,
  },
  {
    name: "an ID token for others too",
    machine: (world) => world.held({ aud: ["test.example", "sts.example"] }),
    reason: /for others too: \["sts\.example"\]/,
  },
  {
    name: "an ID token that has expired",
    machine: (world) => world.held({ exp: later(world, -61) }),
    reason: /the ID token expired at/,
  },
  {
    name: "an ID token that is too old",
    machine: (world) => world.held({ iat: later(world, -HOUR_S - 61) }),
    reason: /too old: it was issued at/,
  },
  {
    name: "an ID token that is older than this token takes",
    machine: async (world) =>
      await withSpec(
        { github: { allow: [{ sub: "**" }], require_challenge: false, max_token_age: "5m" } },
        { iat: later(world, -361) },
      )(world),
    reason: /too old/,
  },
  {
    name: "an ID token from the future",
    machine: (world) => world.held({ nbf: later(world, 61) }),
    reason: /from the future/,
  },
  {
    name: "an ID token that fits no rule",
    machine: (world) => world.held({ repository: "octo/other" }),
    reason: /rule 1: repository is "octo\/other", not "octo\/app"/,
  },
  {
    name: "an ID token without a challenge, where one is required",
    machine: withSpec({ github: { allow: [{ repository: "octo/app" }] } }),
    reason: /takes only ID tokens that answer a challenge/,
  },
  {
    name: "an answer that is for the cluster, but for no challenge",
    machine: (world) => world.onDemand({ aud: "test.example" }),
    reason: /claim "aud" is "test\.example"$/,
  },
  {
    name: "a pod of another service account",
    machine: async (world) => {
      const allow = [{ service_account: "apps:robot" }];
      const kubernetes = { type: "static_jwks", static_jwks: { jwks: world.tokens.jwks }, allow };
      const claims = { ...kubernetesClaims, sub: "system:serviceaccount:apps:other" };
      const spec = { join_method: "kubernetes", kubernetes, github: undefined };
      return await withSpec(spec, { ...claims, iss: "https://kubernetes.default.svc" })(world);
    },
    reason: /sub is "system:serviceaccount:apps:other"/,
  },
  {
    name: "a pod of another cluster, where the issuer is given",
    machine: async (world) => {
      const allow = [{ service_account: "apps:robot" }];
      const static_jwks = { jwks: world.tokens.jwks, issuer: "https://one.example" };
      const kubernetes = { type: "static_jwks", static_jwks, allow };
      const spec = { join_method: "kubernetes", kubernetes, github: undefined };
      return await withSpec(spec, { ...kubernetesClaims, iss: "https://two.example" })(world);
    },
    reason: /of issuer "https:\/\/two\.example", not "https:\/\/one\.example"/,
  },
  {
    name: "a job of another GitLab",
    machine: withSpec(
      {
        join_method: "gitlab",
        gitlab: { allow: [{ project_path: "group/app" }] },
        github: undefined,
      },
      { ...gitlabClaims, iss: "https://gitlab.example" },
    ),
    reason: /not "https:\/\/gitlab\.com"/,
  },
];

suite("joining by ID token: refusals", () => {
  for (const { name, machine, reason } of rows) {
    test(`${name} is refused as everything is, and leaves nothing but an event`, async () => {
      await using world = await OidcWorld.open();
      const stranger = await machine(world);
      const tokens = await world.cluster.store.count({ kind: "token" });
      const error = await refusal(stranger.join());
      assert.equal(error.code, "access_denied");
      assert.equal(error.message, STRANGER);
      assert.match((await world.cluster.reasons()).join("\n"), reason);
      assert.equal((await world.cluster.events("bot.join.failed")).length, 1);
      for (const kind of ["lock", "bot_instance", "join_attempt", "used_id_token"])
        assert.equal(await world.cluster.store.count({ kind }), 0, kind);
      assert.ok((await world.cluster.store.count({ kind: "token" })) <= tokens);
    });
  }

  test("no event holds an ID token", async () => {
    await using world = await OidcWorld.open();
    const good = await world.idToken();
    const bad = await world.idToken({ repository: "octo/other" });
    for (const text of [good, good, bad])
      await world
        .machine({ idToken: { kind: "held", read: async () => text } })
        .join()
        .catch(() => {});
    const page = JSON.stringify((await world.cluster.audit.search({})).events);
    for (const part of [good, bad].flatMap((text) => text.split(".").slice(1)))
      assert.equal(page.includes(part), false);
  });

  const sizes = {
    id_token: { idToken: "x".repeat(16 * 1024 + 1) },
    previous_certificate: { previousCertificate: new Uint8Array(8 * 1024 + 1) },
  };
  for (const [name, block] of Object.entries(sizes)) {
    test(`${name} that is too long is refused before anything is looked up`, async () => {
      await using world = await OidcWorld.open();
      const machine = await world.held();
      const value = create(OidcInitSchema, block);
      machine.tamper = (message) =>
        message.case === "init"
          ? { ...message, value: { ...message.value, method: { case: "oidc", value } } }
          : message;
      assert.equal((await refusal(machine.join())).code, "bad_parameter");
      assert.deepEqual(await world.cluster.reasons(), []);
    });
  }

  test("a client without a source of ID tokens says so itself", async () => {
    await using world = await OidcWorld.open();
    const error = await refusal(world.machine({}).join());
    assert.match(error.message, /join method "github" needs an ID token, and none was configured/);
  });

  test("a client asks for no ID token for what it did not ask to join", async () => {
    await using world = await OidcWorld.open();
    let asked = 0;
    const request = async (): Promise<string> => `${asked++}`;
    const machine = world.machine({ idToken: { kind: "on_demand", request } });
    machine.tamper = (message) =>
      message.case === "init"
        ? { ...message, value: { ...message.value, token: "other" } }
        : message;
    assert.match((await refusal(machine.join())).message, /challenge for token "other"/);
    assert.equal(asked, 0);
  });
});

suite("fuzzing", () => {
  test("whatever an Init or a Solution holds, a stranger hears one of two codes", async () => {
    await using world = await OidcWorld.open();
    const right = await world.idToken({ exp: later(world, -HOUR_S) });
    const keys = generateKeyPair("ecdsa-p256");
    const common = {
      tlsPublicKey: spkiDer(keys.publicKey),
      sshPublicKey: sshPublicKeyLine(generateKeyPair("ed25519").publicKey),
      token: "t",
      role: "Bot",
    };
    const idToken = fc.oneof(
      fc.constantFrom("", right, right.replace(/\.[^.]*$/, ".AA")),
      fc.nat(right.length).map((at) => right.slice(0, at)),
      fc.string({ unit: "binary", maxLength: 300 }),
    );
    const blocks = fc.record({ idToken, previousCertificate: fc.uint8Array({ maxLength: 300 }) });
    await fc.assert(
      fc.asyncProperty(blocks, idToken, async (value, jws) => {
        const ceremony = world.cluster.begin();
        const method = { case: "oidc" as const, value };
        const init = create(InitSchema, { ...common, attemptId: randomUUID(), method });
        const messages: JoinMessage[] = [
          { case: "init", value: init },
          { case: "solution", value: create(SolutionSchema, { jws }) },
        ];
        for (const message of messages) {
          try {
            const reply = await ceremony.receive(message);
            assert.equal(reply?.case, "challenge");
          } catch (error) {
            assert.ok(error instanceof CodedError, String(error));
            assert.ok(["access_denied", "bad_parameter"].includes(error.code), String(error));
          }
        }
      }),
      { numRuns: 300 },
    );
    assert.equal(await world.cluster.store.count({ kind: "bot_instance" }), 0);
  });
});
