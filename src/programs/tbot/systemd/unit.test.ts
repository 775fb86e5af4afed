import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { parseValue } from "#base/config";
import { botConfiguration } from "#services/tbot";
import { demandsOf } from "./demands.ts";
import { placeNotes } from "./places.ts";
import { unitOf } from "./unit.ts";

const cwd = "/srv/bots";

/** The unit's lines for a `tbot.yaml`, given as a value. */
function linesOf(file: object, more: { systemdVersion?: number } = {}): string[] {
  const demands = demandsFor(file);
  const unit = unitOf({
    name: "tbot",
    user: "tenon",
    group: "tenon",
    tbot: ["/usr/local/bin/tbot"],
    file: "/etc/tbot.yaml",
    cwd,
    demands,
    ...more,
  });
  return unit.split("\n");
}

const demandsFor = (file: object) =>
  demandsOf(parseValue({ value: file, schema: botConfiguration, what: "a test" }), {
    storage: "/var/lib/tenon/bot",
    apiSocket: "unix:///run/tbot/bot-api.sock",
    cwd,
  });

const valuesOf = (lines: readonly string[], key: string): string[] =>
  lines.filter((line) => line.startsWith(`${key}=`)).map((line) => line.slice(key.length + 1));

const tunnel = (listen: string): object => ({ type: "application-tunnel", app_name: "a", listen });
const output = (destination: unknown): object => ({ type: "identity", destination });

describe("where the bot may write", () => {
  for (const [what, file, expected] of [
    ["the usual storage", {}, { StateDirectory: ["tenon/bot"] }],
    ["storage in memory", { storage: "memory://" }, {}],
    [
      "an output beside the storage",
      { services: [output("/var/lib/app/creds")] },
      { StateDirectory: ["tenon/bot app/creds"] },
    ],
    [
      "a socket in /run",
      { storage: "memory://", services: [tunnel("unix:///run/tbot/app.sock")] },
      { RuntimeDirectory: ["tbot"] },
    ],
    [
      "a socket for credentials",
      { storage: "memory://", sockets: [{ path: "/run/creds/s.sock" }] },
      { RuntimeDirectory: ["creds"] },
    ],
    [
      "a socket for orders, wherever its owner says",
      { storage: "memory://", services: [{ type: "bot-api", listen: "unix:///run/api/s" }] },
      { RuntimeDirectory: ["api"], Environment: [] },
    ],
    [
      "a socket for orders, where nobody says",
      { storage: "memory://", services: [{ type: "bot-api" }] },
      {
        RuntimeDirectory: ["tbot"],
        Environment: ["TBOT_API_SOCKET=unix:///run/tbot/bot-api.sock"],
      },
    ],
    [
      "directories elsewhere, one of them twice",
      {
        storage: "memory://",
        services: [output("/opt/a b/50%"), tunnel("unix:///opt/a b/50%/s"), output("/opt/\"\\'")],
      },
      { ReadWritePaths: ['"/opt/a b/50%%" "/opt/\\"\\\\\'"'] },
    ],
    [
      "a name that StateDirectory would split",
      { storage: "/var/lib/a:b" },
      { ReadWritePaths: ["/var/lib/a:b"] },
    ],
    [
      "a relative path",
      { storage: "./state" },
      { ReadWritePaths: ["/srv/bots/state"], WorkingDirectory: ["/srv/bots"] },
    ],
    [
      "a home directory",
      { storage: "/root/bot" },
      { ReadWritePaths: ["/root/bot"], ProtectHome: ["read-only"] },
    ],
    ["something in /tmp", { storage: "/tmp/bot" }, { ReadWritePaths: ["/tmp"], PrivateTmp: [] }],
  ] as const)
    test(what, () => {
      const lines = linesOf(file);
      for (const key of ["StateDirectory", "RuntimeDirectory", "ReadWritePaths"])
        assert.deepEqual(
          valuesOf(lines, key),
          (expected as Record<string, unknown>)[key] ?? [],
          key,
        );
      for (const [key, values] of Object.entries(expected))
        assert.deepEqual(valuesOf(lines, key), values, key);
    });

  test("a file that is only read in a home directory opens it for reading", () => {
    const lines = linesOf({ onboarding: { registration_secret_path: "/root/secret" } });
    assert.deepEqual(valuesOf(lines, "ProtectHome"), ["read-only"]);
    assert.deepEqual(valuesOf(lines, "ReadWritePaths"), []);
  });

  test("a path that no line can hold is refused", () => {
    const path = "/opt/a\nExecStartPre=/bin/x";
    assert.throws(() => linesOf({ storage: { type: "directory", path } }), {
      code: "bad_parameter",
      message: /"\/opt\/a\\nExecStartPre=.*control character/,
    });
  });
});

describe("what the bot may do", () => {
  test("nothing that only root may, unless it has a low port", () => {
    for (const [file, capability] of [
      [{}, ""],
      [{ diag_addr: "127.0.0.1:3000" }, ""],
      [{ services: [tunnel("tcp://127.0.0.1:0")] }, ""],
      [{ diag_addr: "127.0.0.1:90" }, "CAP_NET_BIND_SERVICE"],
      [{ services: [tunnel("tcp://127.0.0.1:443")] }, "CAP_NET_BIND_SERVICE"],
    ] as const) {
      const lines = linesOf(file);
      assert.deepEqual(valuesOf(lines, "CapabilityBoundingSet"), [capability]);
      assert.deepEqual(valuesOf(lines, "AmbientCapabilities"), [capability]);
      // A capability in a user namespace of one's own opens no port of the machine.
      assert.deepEqual(valuesOf(lines, "PrivateUsers"), capability === "" ? ["yes"] : []);
    }
  });

  test("it sees other users where its outputs have readers", () => {
    const destination = { type: "directory", path: "/var/lib/x", readers: [{ user: "www" }] };
    assert.deepEqual(valuesOf(linesOf({ services: [output(destination)] }), "PrivateUsers"), []);
  });

  test("it sees devices where its key is in one", () => {
    const pkcs11 = { module: "/usr/lib/tpm.so", pin_env: "PIN" };
    const lines = linesOf({ onboarding: { bound_keypair: { pkcs11 } } });
    assert.deepEqual(valuesOf(lines, "PrivateDevices"), []);
  });
});

describe("how it is run", () => {
  test("again and again, later and later where systemd can", () => {
    const old = linesOf({});
    assert.deepEqual(valuesOf(old, "Restart"), ["always"]);
    assert.deepEqual(valuesOf(old, "RestartSteps"), []);
    assert.deepEqual(valuesOf(linesOf({}, { systemdVersion: 254 }), "RestartMaxDelaySec"), [
      "2min",
    ]);
  });

  test("once, where the file says so", () => {
    const lines = linesOf({ oneshot: true });
    assert.deepEqual(valuesOf(lines, "Type"), ["oneshot"]);
    assert.deepEqual(valuesOf(lines, "Restart"), ["on-failure"]);
    assert.deepEqual(valuesOf(lines, "ExecReload"), []);
  });
});

describe("what its owner is told", () => {
  for (const [what, file, note] of [
    ["of a socket in /run itself", { services: [tunnel("unix:///run/a.sock")] }, /\/run\/tbot/],
    ["of a storage in /tmp", { storage: "/tmp/bot" }, /gone after a reboot/],
  ] as const)
    test(what, () => assert.match(placeNotes(demandsFor(file)).join("\n"), note));

  test("nothing of a file that fits", () => assert.deepEqual(placeNotes(demandsFor({})), []));
});
