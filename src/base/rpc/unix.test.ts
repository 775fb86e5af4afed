import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { once } from "node:events";
import { chmod, mkdtemp, rm, stat, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, it } from "node:test";
import { silentLogger, systemClock } from "#base/kernel";
import { AuthService } from "@tenon/api/tenon/auth/v1/auth";
import { JoinService } from "@tenon/api/tenon/join/v1/join";
import { RpcChannel } from "./client.ts";
import { createRpcServer, type RpcServer } from "./server.ts";
import { bindService, type RpcContext } from "./service.ts";

describe("the socket file", () => {
  let directory: string;
  let path: string;
  let seen: RpcContext[];
  const servers: RpcServer[] = [];

  beforeEach(async () => {
    directory = await mkdtemp(join(tmpdir(), "tenon-rpc-"));
    path = join(directory, "admin.sock");
    seen = [];
  });
  afterEach(async () => {
    for (const server of servers.splice(0)) await server.shutdown(0);
    await rm(directory, { recursive: true });
  });

  const serve = async (at = path): Promise<RpcServer> => {
    const never = (): never => assert.fail("not called in this test");
    const server = await createRpcServer({
      services: [
        bindService(JoinService, { join: never }),
        bindService(AuthService, {
          ping: (_request, context) => {
            seen.push(context);
            return { clusterName: "here" };
          },
          getTrust: never,
          issueCertificates: never,
          listOpen: never,
          submitHeartbeat: never,
          announceApps: never,
          watchLocks: never,
          exportAuthority: never,
          searchEvents: never,
          watchEvents: never,
          exportEvents: never,
          listBotInstances: never,
          getBotActivity: never,
          listBotSessions: never,
          getBotAccess: never,
          getStatus: never,
          watchTrust: never,
          rotateAuthority: never,
          resetBoundKeypair: never,
          inviteUser: never,
          listAlerts: never,
          setResyncWindow: never,
          backup: never,
        }),
      ],
      clock: systemClock,
      logger: silentLogger,
    });
    servers.push(server);
    await server.listenUnix(at);
    return server;
  };

  const ping = async (unix = path): Promise<string> => {
    using channel = new RpcChannel({ target: { unix }, clock: systemClock });
    return (await channel.client(AuthService).ping({})).clusterName;
  };

  it("serves local callers, and tells the handler that they are", async () => {
    await serve();
    assert.equal(await ping(), "here");
    assert.equal(seen[0]?.local, true);
    assert.equal(seen[0].remoteAddr, "local");
    assert.equal(seen[0].peerCertificate, undefined);
  });

  it("is for its owner alone", async () => {
    await serve(join(directory, "new", "admin.sock"));
    const modeOf = async (at: string) => (await stat(join(directory, at))).mode & 0o777;
    assert.equal(await modeOf("new"), 0o700);
    assert.equal(await modeOf("new/admin.sock"), 0o600);
  });

  it("is refused in a directory that others can enter, which stays as it is", async () => {
    await chmod(directory, 0o755);
    await assert.rejects(serve(), { code: "bad_parameter", message: /open to other users.*755/ });
    assert.equal((await stat(directory)).mode & 0o777, 0o755);
  });

  it("goes when its server does", async () => {
    const server = await serve();
    await server.shutdown(0);
    await assert.rejects(stat(path), { code: "ENOENT" });
  });

  it("replaces one that a killed process left behind", async () => {
    await leaveBehind(path);
    assert.ok((await stat(path)).isSocket());
    await serve();
    assert.equal(await ping(), "here");
  });

  it("never replaces one that still answers", async () => {
    await serve();
    await assert.rejects(serve(), {
      code: "already_exists",
      message: /another process already serves/,
    });
    assert.equal(await ping(), "here");
  });

  it("never replaces a file that is no socket", async () => {
    await writeFile(path, "precious");
    await assert.rejects(serve(), { code: "bad_parameter", message: /is a file, not a socket/ });
    assert.ok((await stat(path)).isFile());
  });

  it("has a path of at most 107 bytes, on both sides", async () => {
    const fits = join(directory, "x".repeat(107 - Buffer.byteLength(directory) - 1));
    await serve(fits);
    assert.equal(await ping(fits), "here");
    for (const attempt of [serve(`${fits}x`), ping(`${fits}x`)])
      await assert.rejects(attempt, { code: "bad_parameter", message: /108 bytes.*107/ });
  });

  it("that is missing or dead is named to the caller, with what to check", async () => {
    await assert.rejects(ping(), {
      code: "unavailable",
      message: `cannot reach the socket "${path}": there is no such socket; check that the server runs, and that it uses this data directory`,
    });
    await leaveBehind(path);
    await assert.rejects(ping(), { code: "unavailable", message: /the connection was refused/ });
  });
});

/** What SIGKILL leaves: a socket file with nobody behind it. */
async function leaveBehind(path: string): Promise<void> {
  const script = `require("net").createServer().listen(${JSON.stringify(path)}, () => console.log("up"))`;
  const child = spawn(process.execPath, ["-e", script], { stdio: ["ignore", "pipe", "inherit"] });
  await once(child.stdout, "data");
  child.kill("SIGKILL");
  await once(child, "exit");
}
