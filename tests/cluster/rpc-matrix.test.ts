import {
  basicConstraints,
  derFromPem,
  extendedKeyUsage,
  generateKeyPair,
  issueX509,
  keyUsage,
  privateKeyFromPem,
  privateKeyPem,
  spkiDer,
  x509Issuer,
  x509Pem,
} from "#base/crypto";
import { codeOf, silentLogger } from "#base/kernel";
import { Authorities, CA_KEY_KIND } from "#domain/authority";
import { rpcTable } from "#services/auth";
import { AuthBench, type Services } from "#testing/auth";
import { ManualClock } from "#testing/clock";
import { TestIdentities } from "#testing/identities";
import { AuthService } from "@tenon/api/tenon/auth/v1/auth";
import { JoinService } from "@tenon/api/tenon/join/v1/join";
import { ResourceService } from "@tenon/api/tenon/resource/v1/resource";
import assert from "node:assert/strict";
import { randomUUID } from "node:crypto";
import { after, before, describe, it } from "node:test";

/** The callers of the columns below, in their order. `editor` is a person with that role. */
const columns = [
  "anonymous",
  "bot",
  "bot_output",
  "user",
  "editor",
  "app",
  "proxy",
  "host",
  "admin",
] as const;
type Column = (typeof columns)[number];

/**
 * Who may make which call, written out once more and by hand:
 * `+` the call answers; `-` it is denied; `?` an unknown caller is told to identify itself.
 */
const matrix: Readonly<Record<string, string>> = {
  //                                                  an bo ou us ed ap pr ho ad
  "tenon.join.v1.JoinService/Join": "                  +  +  +  +  +  +  +  +  +",
  "tenon.auth.v1.AuthService/Ping": "                  +  +  +  +  +  +  +  +  +",
  "tenon.auth.v1.AuthService/GetTrust": "              +  +  +  +  +  +  +  +  +",
  "tenon.auth.v1.AuthService/IssueCertificates": "     ?  +  -  +  +  -  -  -  -",
  "tenon.auth.v1.AuthService/ListOpen": "              ?  +  +  +  +  -  -  -  -",
  "tenon.auth.v1.AuthService/SubmitHeartbeat": "       ?  +  -  -  -  -  -  -  -",
  "tenon.auth.v1.AuthService/AnnounceApps": "          ?  -  -  -  -  +  -  -  -",
  "tenon.auth.v1.AuthService/WatchLocks": "            ?  +  -  -  -  +  +  +  +",
  "tenon.auth.v1.AuthService/WatchTrust": "            ?  +  -  -  -  +  +  +  +",
  "tenon.auth.v1.AuthService/ExportAuthority": "       ?  -  -  -  +  -  -  -  +",
  "tenon.auth.v1.AuthService/SearchEvents": "          ?  -  -  -  +  -  -  -  +",
  "tenon.auth.v1.AuthService/WatchEvents": "           ?  -  -  -  +  -  -  -  +",
  "tenon.auth.v1.AuthService/ExportEvents": "          ?  -  -  -  +  -  -  -  +",
  "tenon.auth.v1.AuthService/ListBotInstances": "      ?  -  -  -  +  -  -  -  +",
  "tenon.auth.v1.AuthService/GetBotActivity": "        ?  -  -  -  +  -  -  -  +",
  "tenon.auth.v1.AuthService/ListBotSessions": "       ?  -  -  -  +  -  -  -  +",
  "tenon.auth.v1.AuthService/GetBotAccess": "          ?  -  -  -  +  -  -  -  +",
  "tenon.auth.v1.AuthService/GetStatus": "             ?  -  -  -  +  -  -  -  +",
  "tenon.auth.v1.AuthService/RotateAuthority": "       ?  -  -  -  +  -  -  -  +",
  "tenon.auth.v1.AuthService/ResetBoundKeypair": "     ?  -  -  -  +  -  -  -  +",
  "tenon.auth.v1.AuthService/InviteUser": "            ?  -  -  -  +  -  -  -  +",
  "tenon.auth.v1.AuthService/ListAlerts": "            ?  -  -  -  +  -  -  -  +",
  "tenon.auth.v1.AuthService/SetResyncWindow": "       ?  -  -  -  -  -  -  -  +",
  "tenon.auth.v1.AuthService/Backup": "                ?  -  -  -  -  -  -  -  +",
  "tenon.resource.v1.ResourceService/Get": "           ?  -  -  -  +  +  +  +  +",
  "tenon.resource.v1.ResourceService/List": "          ?  -  -  -  +  +  +  +  +",
  "tenon.resource.v1.ResourceService/Tally": "         ?  -  -  -  +  +  +  +  +",
  "tenon.resource.v1.ResourceService/Create": "        ?  -  -  -  +  -  -  -  +",
  "tenon.resource.v1.ResourceService/Update": "        ?  -  -  -  +  -  -  -  +",
  "tenon.resource.v1.ResourceService/Upsert": "        ?  -  -  -  +  -  -  -  +",
  "tenon.resource.v1.ResourceService/Delete": "        ?  -  -  -  +  -  -  -  +",
  "tenon.resource.v1.ResourceService/Watch": "         ?  -  -  -  +  +  +  +  +",
};

const OPEN = Object.keys(matrix).filter((path) => !matrix[path]!.includes("?"));
const CLOSED = Object.keys(matrix).filter((path) => matrix[path]!.includes("?"));
const cells = (row: string): readonly string[] => row.trim().split(/\s+/);

const tlsPublicKey = spkiDer(generateKeyPair("ecdsa-p256").publicKey);
const roleDocument = (name: string, revision?: string) => ({
  json: JSON.stringify({
    kind: "role",
    version: "v1",
    metadata: { name, ...(revision ? { revision } : {}) },
    spec: {},
  }),
});

const invited = {
  kind: "user",
  version: "v1",
  metadata: { name: "invited" },
  spec: { roles: [] },
};

const resettable = {
  kind: "token",
  version: "v2",
  metadata: { name: "resettable" },
  spec: { roles: ["App"], join_method: "bound_keypair" },
};

/** One call of each kind that a permitted caller makes with success. */
const calls: Readonly<Record<string, (as: Services, bench: AuthBench) => Promise<unknown>>> = {
  "tenon.join.v1.JoinService/Join": async ({ join }) => {
    await using call = await join.join();
    await call.send({ message: { case: "givingUp", value: { reason: "only a test" } } });
    return await call.receive();
  },
  "tenon.auth.v1.AuthService/Ping": async ({ auth }) => await auth.ping({}),
  "tenon.auth.v1.AuthService/GetTrust": async ({ auth }) => await auth.getTrust({}),
  "tenon.auth.v1.AuthService/IssueCertificates": async ({ auth }) =>
    await auth.issueCertificates({ tlsPublicKey }),
  "tenon.auth.v1.AuthService/ListOpen": async ({ auth }) => await auth.listOpen({ kind: "app" }),
  "tenon.auth.v1.AuthService/SubmitHeartbeat": async ({ auth }) => await auth.submitHeartbeat({}),
  "tenon.auth.v1.AuthService/AnnounceApps": async ({ auth }) => await auth.announceApps({}),
  "tenon.auth.v1.AuthService/WatchLocks": async ({ auth }) => await first(auth.watchLocks({})),
  "tenon.auth.v1.AuthService/WatchTrust": async ({ auth }) => await first(auth.watchTrust({})),
  "tenon.auth.v1.AuthService/RotateAuthority": async ({ auth }) =>
    await auth.rotateAuthority({ types: ["app"] }),
  "tenon.auth.v1.AuthService/ResetBoundKeypair": async ({ auth }) =>
    await auth.resetBoundKeypair({ token: "resettable" }),
  "tenon.auth.v1.AuthService/InviteUser": async ({ auth }) =>
    await auth.inviteUser({ user: "invited" }),
  "tenon.auth.v1.AuthService/ListAlerts": async ({ auth }) => await auth.listAlerts({}),
  "tenon.auth.v1.AuthService/SetResyncWindow": async ({ auth }) =>
    await auth.setResyncWindow({ open: false }),
  "tenon.auth.v1.AuthService/Backup": async ({ auth }) =>
    await first(auth.backup({ file: "/anywhere" })),
  "tenon.auth.v1.AuthService/ExportAuthority": async ({ auth }) =>
    await auth.exportAuthority({ type: "user" }),
  "tenon.auth.v1.AuthService/SearchEvents": async ({ auth }) => await auth.searchEvents({}),
  "tenon.auth.v1.AuthService/WatchEvents": async ({ auth }) => await first(auth.watchEvents({})),
  "tenon.auth.v1.AuthService/ExportEvents": async ({ auth }) => await first(auth.exportEvents({})),
  "tenon.auth.v1.AuthService/ListBotInstances": async ({ auth }) =>
    await auth.listBotInstances({ bot: "none", state: "active" }),
  "tenon.auth.v1.AuthService/GetBotActivity": async ({ auth }) =>
    await auth.getBotActivity({ bot: "none", from: 1n, stepSeconds: 60, steps: 1 }),
  "tenon.auth.v1.AuthService/ListBotSessions": async ({ auth }) =>
    await auth.listBotSessions({ bot: "none" }),
  "tenon.auth.v1.AuthService/GetBotAccess": async ({ auth }, bench) => {
    await bench.create({
      kind: "bot",
      version: "v1",
      metadata: { name: "drawn" },
      spec: { roles: [] },
    });
    return await auth.getBotAccess({ bot: "drawn" });
  },
  "tenon.auth.v1.AuthService/GetStatus": async ({ auth }) => await auth.getStatus({}),
  "tenon.resource.v1.ResourceService/Get": async ({ resources }) =>
    await resources.get({ kind: "role", name: "auditor" }),
  "tenon.resource.v1.ResourceService/List": async ({ resources }) =>
    await resources.list({ kind: "role" }),
  "tenon.resource.v1.ResourceService/Tally": async ({ resources }) =>
    await resources.tally({ kind: "role" }),
  "tenon.resource.v1.ResourceService/Create": async ({ resources }) =>
    await resources.create({ documents: [roleDocument(`new-${randomUUID()}`)] }),
  "tenon.resource.v1.ResourceService/Update": async ({ resources }, bench) => {
    const { metadata } = await bench.resources.require("role", "changeable");
    await resources.update({ documents: [roleDocument("changeable", metadata.revision)] });
  },
  "tenon.resource.v1.ResourceService/Upsert": async ({ resources }) =>
    await resources.upsert({ documents: [roleDocument("changeable")] }),
  "tenon.resource.v1.ResourceService/Delete": async ({ resources }, bench) => {
    const name = `gone-${randomUUID()}`;
    await bench.createRole(name);
    return await resources.delete({ kind: "role", name });
  },
  "tenon.resource.v1.ResourceService/Watch": async ({ resources }) =>
    await first(resources.watch({ kinds: ["role"] })),
};

async function first<T>(stream: AsyncIterable<T>): Promise<T | undefined> {
  for await (const message of stream) return message;
  return undefined;
}

const outcome = async (path: string, as: Services, bench: AuthBench): Promise<string> => {
  try {
    await calls[path]!(as, bench);
    return "+";
  } catch (error) {
    return { access_denied: "-", unauthenticated: "?" }[codeOf(error) as string] ?? String(error);
  }
};

/** A certificate of the cluster's own user authority, for servers. */
async function wrongPurpose({ store, authorities }: TestIdentities) {
  const { items } = await store.list({ kind: CA_KEY_KIND, prefix: "user-" });
  const [ca] = derFromPem(authorities.exportAuthority("user", "x509"));
  const { x509 } = items[0]!.value;
  assert.ok(typeof x509 === "string");
  const key = privateKeyFromPem(x509);
  const { publicKey, privateKey } = generateKeyPair("ecdsa-p256");
  const certificate = issueX509({
    issuer: x509Issuer(ca!, key),
    subject: { commonName: "alice" },
    publicKeySpki: spkiDer(publicKey),
    notBefore: Date.now() - 60_000,
    notAfter: Date.now() + 60_000,
    extensions: [
      basicConstraints("end-entity"),
      keyUsage("digitalSignature"),
      extendedKeyUsage("serverAuth"),
    ],
  });
  return { cert: x509Pem(certificate), key: privateKeyPem(privateKey) };
}

/** A certificate of the same authorities, issued when the clock showed another time. */
async function issuedAt({ store }: TestIdentities, offsetMs: number) {
  const clock = new ManualClock(Date.now() + offsetMs);
  const authorities = await Authorities.open({ store, clock, logger: silentLogger });
  const { publicKey, privateKey } = generateKeyPair("ecdsa-p256");
  const { tlsCertificate } = authorities.issueUser(
    { user: "erin", roles: ["editor"], traits: {}, logins: [], allowReissue: true },
    { tlsPublicKey: spkiDer(publicKey), ttlMs: 600_000 },
  );
  return { cert: x509Pem(tlsCertificate), key: privateKeyPem(privateKey) };
}

describe("every call by every kind of caller", () => {
  let bench: AuthBench;
  let callers: Readonly<Record<Column, Services>>;

  before(async () => {
    bench = await AuthBench.open();
    await bench.createRole("changeable");
    await bench.createUser("alice", []);
    await bench.createUser("erin", ["editor"]);
    const bot = await bench.createBot("robot", ["access"]);
    await bench.create(resettable);
    await bench.create(invited);
    const { generation: _, ...output } = { ...bot, roles: ["access"], allowReissue: false };
    callers = {
      anonymous: bench.as(),
      bot: bench.user(bot),
      bot_output: bench.user(output),
      user: bench.user({ user: "alice", allowReissue: true }),
      editor: bench.user({ user: "erin", roles: ["editor"], allowReissue: true }),
      app: bench.host({ roles: ["App"] }),
      proxy: bench.host({ roles: ["Proxy"] }),
      host: bench.host({ roles: ["Node"] }),
      admin: bench.admin(),
    };
  });
  after(async () => await bench[Symbol.asyncDispose]());

  for (const [path, row] of Object.entries(matrix)) {
    columns.forEach((column, index) => {
      const expected = cells(row)[index]!;
      const verb = { "+": "may", "-": "may not", "?": "must be known to" }[expected];
      it(`${column} ${verb} call ${path}`, async () => {
        assert.equal(await outcome(path, callers[column], bench), expected);
      });
    });
  }

  type Unaccepted = readonly [
    reason: RegExp,
    make: (of: TestIdentities) => Promise<{ cert: string; key: string }>,
  ];
  const unaccepted: Readonly<Record<string, Unaccepted>> = {
    "an expired certificate": [/"erin" expired at/, async (of) => await issuedAt(of, -3_600_000)],
    "a certificate that is not valid yet": [
      /"erin" is not valid before/,
      async (of) => await issuedAt(of, 3_600_000),
    ],
    "a certificate of another cluster": [
      /no trusted authority signed it/,
      async () => (await TestIdentities.open(new ManualClock(Date.now()))).user({ user: "erin" }),
    ],
    "a certificate for another purpose": [/another purpose/, async (of) => await wrongPurpose(of)],
  };
  for (const [what, [reason, make]] of Object.entries(unaccepted)) {
    it(`${what} is as good as none at every call`, async () => {
      const caller = bench.as(await make(bench.identities));
      for (const path of OPEN) assert.equal(await outcome(path, caller, bench), "+", path);
      for (const path of CLOSED) assert.equal(await outcome(path, caller, bench), "?", path);
    });

    it(`${what} is refused for a reason that only the audit log has`, async () => {
      await using fresh = await AuthBench.open();
      const caller = fresh.as(await make(fresh.identities));
      await assert.rejects(caller.auth.getStatus({}), {
        code: "unauthenticated",
        message: "this call needs a certificate of the cluster; sign in or join first",
      });
      const [event] = await fresh.events("auth.denied");
      assert.ok(typeof event?.fields.reason === "string");
      assert.match(event.fields.reason, reason);
    });
  }

  it("the certificate of a user who was deleted is not accepted at any call", async () => {
    await bench.createUser("mallory", ["editor"]);
    const caller = bench.user({ user: "mallory", roles: ["editor"], allowReissue: true });
    await caller.resources.list({ kind: "role" });
    await bench.admin().resources.delete({ kind: "user", name: "mallory" });
    for (const path of CLOSED) assert.equal(await outcome(path, caller, bench), "?", path);
  });

  it("a certificate of a bot instance that was deleted is not accepted at any call", async () => {
    const caller = bench.user(await bench.createBot("short-lived", []));
    await caller.auth.submitHeartbeat({});
    await bench.admin().resources.delete({ kind: "bot", name: "short-lived" });
    for (const path of CLOSED) assert.equal(await outcome(path, caller, bench), "?", path);
  });

  const hostId = randomUUID();
  const locks: Readonly<Record<string, (name: string) => Promise<[target: object, Services]>>> = {
    "whose user is locked": async (user) => {
      await bench.createUser(user, ["editor"]);
      return [{ user }, bench.user({ user, roles: ["editor"] })];
    },
    "whose role is locked": async (role) => {
      await bench.createRole(role);
      return [{ role }, bench.user({ user: "erin", roles: ["editor", role] })];
    },
    "whose bot instance is locked": async (name) => {
      const bot = await bench.createBot(name, []);
      return [{ bot_instance_id: bot.botInstanceId }, bench.user(bot)];
    },
    "whose join token is locked": async (name) => {
      const bot = await bench.createBot(name, []);
      return [{ join_token: bot.joinToken }, bench.user(bot)];
    },
    "whose bound key is locked": async (name) => {
      const bot = { ...(await bench.createBot(name, [])), boundKeyFingerprint: "SHA256:abc" };
      return [{ public_key: "SHA256:abc" }, bench.user(bot)];
    },
    "whose host is locked": async () => [{ server_id: hostId }, bench.host({ hostId })],
  };
  for (const [what, make] of Object.entries(locks)) {
    it(`a caller ${what} is denied every call that needs to know it`, async () => {
      const [target, caller] = await make(`locked-${Math.random().toString(36).slice(2)}`);
      const name = await bench.lock(target);
      for (const path of CLOSED) assert.equal(await outcome(path, caller, bench), "-", path);
      for (const path of OPEN) assert.equal(await outcome(path, caller, bench), "+", path);
      await bench.admin().resources.delete({ kind: "lock", name });
    });
  }
});

describe("the table of calls", () => {
  const services = [JoinService, AuthService, ResourceService];

  it("has a row for every method of every service, and no other", () => {
    const inTable = Object.entries(rpcTable).flatMap(([service, methods]) =>
      Object.keys(methods).map((method) => `${service}/${method}`),
    );
    const inProtos = services.flatMap((service) =>
      service.methods.map((method) => `${service.typeName}/${method.localName}`),
    );
    assert.deepEqual(inTable.sort(), inProtos.sort());
  });

  it("is walked whole by this test", () => {
    const paths = services.flatMap((service) =>
      service.methods.map((method) => `${service.typeName}/${method.name}`),
    );
    assert.deepEqual(Object.keys(matrix).sort(), paths.sort());
    for (const row of Object.values(matrix)) assert.equal(cells(row).length, columns.length);
  });

  it("opens nothing to strangers but join, ping and trust", () => {
    const open = Object.entries(rpcTable).flatMap(([, methods]) =>
      Object.entries(methods).flatMap(([method, rule]) =>
        rule.open === true || rule.callers.includes("anonymous") ? [method] : [],
      ),
    );
    assert.deepEqual(open, ["join", "ping", "getTrust"]);
  });
});
