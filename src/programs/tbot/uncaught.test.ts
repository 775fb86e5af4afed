import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { text } from "node:stream/consumers";
import { suite, test } from "node:test";

const root = new URL("../../../", import.meta.url);

/** Two services, one of which leaves something behind that nobody catches. */
const script = (leave: string): string => `
  import { createServer, connect } from "node:net";
  import { silentLogger, systemClock, aborted } from "#base/kernel";
  const from = (path) => import(new URL(path, ${JSON.stringify(import.meta.url)}));
  const { watchUncaught } = await from("./uncaught.ts");
  const { Supervisor } = await from("../../services/tbot/supervisor.ts");
  const { Readiness } = await from("../../services/tbot/readiness.ts");
  const readiness = new Readiness(systemClock);
  const supervisor = new Supervisor({ readiness, clock: systemClock, log: silentLogger });
  watchUncaught(process, (error) => supervisor.blame(error));
  const well = async ({ signal, report }) => (report("healthy"), await aborted(signal));
  supervisor.start({ name: "well", type: "t", run: well });
  const leave = async () => { ${leave} };
  supervisor.start({ name: "bad", type: "t", run: async (options) => (leave(), await well(options)) });
  while (readiness.get("bad").state !== "failed") await new Promise((next) => setTimeout(next, 5));
  for (const { name, state, reason } of readiness.all()) console.log(name, state, reason ?? "");
  await supervisor.stopAll();
  console.log("stopped");
`;

async function run(code: string): Promise<{ status: number | null; out: string; err: string }> {
  const child = spawn(process.execPath, ["--input-type=module", "-e", code], { cwd: root });
  const ended = new Promise<number | null>((resolve) => child.once("close", resolve));
  const [out, err] = await Promise.all([text(child.stdout), text(child.stderr)]);
  return { status: await ended, out, err };
}

suite("an error that nobody caught", () => {
  const left: readonly [what: string, code: string][] = [
    ["a promise that rejects", `Promise.reject(new Error("left"));`],
    [
      "a promise that rejects much later",
      `setTimeout(() => Promise.reject(new Error("left")), 50);`,
    ],
    ["a timer that throws", `setTimeout(() => { throw new Error("left"); }, 50);`],
    [
      "a connection's handler that throws",
      `const server = createServer((socket) => { socket.destroy(); server.close(); throw new Error("left"); });
       server.listen(0, () => connect(server.address().port).on("error", () => {}).unref());`,
    ],
  ];
  for (const [what, code] of left)
    test(`of a service, as ${what}, ends that service alone`, async () => {
      const { status, out, err } = await run(script(code));
      assert.equal(out, "well healthy \nbad failed left\nstopped\n", err);
      assert.equal(status, 0);
    });

  test("of nobody's work ends the process, and is shown", async () => {
    const { status, out, err } = await run(
      `setTimeout(() => Promise.reject(new Error("of nobody")), 50);${script("")}`,
    );
    assert.equal(status, 1);
    assert.match(err, /Error: of nobody/);
    assert.equal(out, "");
  });
});
