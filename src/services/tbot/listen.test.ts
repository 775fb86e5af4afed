import assert from "node:assert/strict";
import { mkdtemp, rm, stat } from "node:fs/promises";
import { connect, createServer, type Socket } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, suite, test } from "node:test";
import { openListener } from "./listen.ts";

suite("a local listener", () => {
  let directory: string;
  beforeEach(async () => {
    directory = await mkdtemp(join(tmpdir(), "tenon-listen-"));
  });
  afterEach(async () => {
    await rm(directory, { recursive: true });
  });

  const refuse = (socket: Socket): void => void socket.destroy();

  test("names the port that the system chose", async () => {
    using listener = await openListener("tcp://127.0.0.1:0", refuse);
    assert.match(listener.address, /^tcp:\/\/127\.0\.0\.1:[1-9]\d*$/);
  });

  test("listens on IPv6", async () => {
    using listener = await openListener("tcp://[::1]:0", refuse);
    assert.match(listener.address, /^tcp:\/\/\[::1\]:[1-9]\d*$/);
  });

  test("a port in use is refused, and named", async () => {
    using first = await openListener("tcp://127.0.0.1:0", refuse);
    await assert.rejects(openListener(first.address, refuse), {
      code: "already_exists",
      message: new RegExp(first.address.replaceAll(".", "\\.")),
    });
  });

  test("a Unix socket is for its owner only", async () => {
    const path = join(directory, "a.sock");
    using _listener = await openListener(`unix://${path}`, refuse);
    assert.equal((await stat(path)).mode & 0o777, 0o600);
  });

  test("a stale socket is replaced", async () => {
    const path = join(directory, "a.sock");
    const abandoned = createServer().listen(path);
    await new Promise((resolve) => abandoned.once("listening", resolve));
    const held = abandoned as unknown as { _handle: { close(): void } };
    // As after SIGKILL: the listener is gone, its file is not.
    const { rename, link } = await import("node:fs/promises");
    await link(path, `${path}.kept`);
    held._handle.close();
    await rename(`${path}.kept`, path);
    using _listener = await openListener(`unix://${path}`, (socket) =>
      socket.resume().end("hello"),
    );
    const client = connect(path);
    const [hello] = (await Array.fromAsync(client)) as Buffer[];
    assert.equal(hello?.toString(), "hello");
  });

  test("a live socket is refused", async () => {
    const path = join(directory, "a.sock");
    using _first = await openListener(`unix://${path}`, refuse);
    await assert.rejects(openListener(`unix://${path}`, refuse), { code: "already_exists" });
  });

  test("a path longer than the system takes is refused before anything is made", async () => {
    const path = join(directory, "x".repeat(120));
    await assert.rejects(openListener(`unix://${path}`, refuse), {
      code: "bad_parameter",
      message: /107 is the most/,
    });
  });

  test("a directory that does not exist is an error that names the address", async () => {
    await assert.rejects(openListener(`unix://${directory}/no/a.sock`, refuse), {
      code: "unavailable",
      message: /no\/a\.sock/,
    });
  });
});
