// `tbot onboard` as a person uses it: a pseudo-terminal, keys, and a real cluster behind it.
import assert from "node:assert/strict";
import { existsSync } from "node:fs";
import { mkdir, readFile, stat, writeFile } from "node:fs/promises";
import net from "node:net";
import { after, before, describe, test } from "node:test";
import { closedPort, httpApplication, listen, type TestServer } from "#testing/applications";
import { needs } from "#testing/needs";
import { Yard } from "#testing/processes";
import { RealCluster } from "#testing/real-cluster";
import { Terminal } from "#testing/terminal";
import { until } from "#testing/wait";

const main = new URL("../../src/programs/tbot/main.ts", import.meta.url).pathname;

let yard: Yard;
let cluster: RealCluster;
let application: TestServer;

before(async () => {
  yard = await Yard.open();
  cluster = await RealCluster.start(yard);
  application = await httpApplication((_request, response) => response.end("hello\n"));
  await cluster.serve("hello", `http://127.0.0.1:${application.port}`);
});
after(async () => {
  await application[Symbol.asyncDispose]();
  await yard[Symbol.asyncDispose]();
});

/** A terminal in a directory of its own, with the bot's storage beside it. */
async function onboard(name: string, ...words: readonly string[]): Promise<Terminal> {
  const cwd = yard.path(name);
  await mkdir(cwd, { recursive: true });
  const units = `--systemd-directory=${cwd}`;
  const command = [process.execPath, main, "onboard", "--storage=./state", units, ...words];
  return new Terminal(command, { cwd, env: { PATH: process.env["PATH"], TERM: "xterm" } });
}

/** Chooses a type by its place in the list, which begins with what is chosen already. */
async function choose(terminal: Terminal, what: "identity" | "application-tunnel"): Promise<void> {
  await terminal.sees(/What (else )?should/);
  await terminal.sees("Enter: confirm");
  const lines = terminal.text.slice(terminal.text.lastIndexOf("should")).split("\n");
  const choices = lines.filter((line) => /[●○]/.test(line));
  const place = choices.findIndex((line) => new RegExp(`[●○] ${what}( |$)`).test(line));
  assert.ok(place >= 0, terminal.text);
  for (let step = 0; step < place; step++) terminal.press("down");
  terminal.press("enter");
}

async function answer(terminal: Terminal, question: string | RegExp, text: string): Promise<void> {
  await terminal.sees(question);
  terminal.type(text);
  terminal.press("enter");
}

describe("tbot onboard", needs("script", "curl"), () => {
  test("goes from a join URI to a file that works, through mistakes on the way", async () => {
    const uri = await cluster.addBot("walker");
    const secret = /:([^:@]+)@/.exec(uri)![1]!;
    const port = await closedPort();
    await using terminal = await onboard("walk");

    await answer(terminal, "The join URI", "tbot+proxy+nonsense");
    await terminal.sees("not a join URI");
    terminal.type(uri);
    terminal.press("enter");
    await terminal.sees("Joined.");

    await choose(terminal, "application-tunnel");
    await terminal.sees("name of the application");
    await terminal.sees("hello");
    terminal.type("helo");
    terminal.press("enter");
    await answer(terminal, "where to listen", "tcp://nowhere");
    await terminal.sees("must be tcp://host:port");
    terminal.press("clear the line");
    terminal.type(`tcp://127.0.0.1:${port}`);
    terminal.press("enter");
    await answer(terminal, "Anything else to set?", "");
    await terminal.sees(/does not work yet: .*"helo"/);
    await answer(terminal, "What now?", ""); // change its settings
    await terminal.sees("name of the application");
    await terminal.sees("● hello");
    terminal.press("enter");
    await answer(terminal, "where to listen", ""); // as before
    await answer(terminal, "Anything else to set?", "");
    await terminal.sees("app-tunnel-1 is healthy.");
    const page = await yard.exec(["curl", "-s", `http://127.0.0.1:${port}/`]);
    assert.equal(page.out, "hello\n");

    await choose(terminal, "identity");
    await answer(terminal, "where to write", "./out");
    await answer(terminal, "Anything else to set?", "");
    await terminal.sees("identity-1 is healthy.");
    assert.ok(existsSync(yard.path("walk/out/tlscert")));
    await answer(terminal, "What else should", ""); // that is all

    const file = yard.path("walk/tbot.yaml");
    await writeFile(file, "mine");
    await answer(terminal, "Where to write the configuration?", "");
    await answer(terminal, "is there already. Replace it?", ""); // no
    await answer(terminal, "Where to write the configuration?", "");
    assert.equal(await readFile(file, "utf8"), "mine");
    await terminal.sees("Replace it?");
    terminal.type("y");
    await terminal.sees(`Wrote "${file}"`);
    await terminal.sees("systemd");
    terminal.type("y");
    await answer(terminal, "Which user", "");
    await terminal.sees(/Wrote ".*walk\/tbot\.service"/);
    await terminal.sees(`Done. tbot start -c ${file}`);
    assert.equal(await terminal.ended(), 0);

    assert.equal((await stat(file)).mode & 0o777, 0o600);
    const text = await readFile(file, "utf8");
    for (const each of [text, terminal.raw]) assert.ok(!each.includes(secret));
    assert.match(await readFile(yard.path("walk/tbot.service"), "utf8"), /^ReadWritePaths=/m);

    const bot = yard.start("tbot", ["start", "-c", file]);
    const curl = ["curl", "-s", `http://127.0.0.1:${port}/`];
    await bot.until("serves the tunnel", async () => (await yard.exec(curl)).out === "hello\n");
    assert.equal((await bot.stop()).code, 0);
  });

  for (const key of ["ctrl-c", "ctrl-d", "escape"] as const)
    test(`${key} ends it, nothing is written, and the same URI goes on later`, async () => {
      const uri = await cluster.addBot(key);
      const before = await onboard(key, uri);
      {
        await using terminal = before;
        await terminal.sees("What should");
        terminal.press(key);
        await terminal.sees(/stopped; no configuration was written, but the machine has joined/);
        assert.equal(await terminal.ended(), 1);
        assert.ok(
          terminal.raw.lastIndexOf("\u001B[?25h") > terminal.raw.lastIndexOf("\u001B[?25l"),
        );
      }
      assert.ok(!existsSync(yard.path(key, "tbot.yaml")));
      await using again = await onboard(key, uri);
      await again.sees("Joined.");
    });

  test("a service that does not work can be kept, removed, or left out", async () => {
    await using terminal = await onboard("keep", await cluster.addBot("keep"));
    const add = async (): Promise<void> => {
      await choose(terminal, "application-tunnel");
      await answer(terminal, "name of the application", "later");
      await answer(terminal, "where to listen", `unix://${yard.path("keep/s")}`);
      await answer(terminal, "Anything else", "");
      await terminal.sees("does not work yet");
      await terminal.sees("What now?");
    };
    await add();
    terminal.press("down", "down", "enter"); // leave it out
    await add();
    terminal.press("down", "enter"); // keep it
    await terminal.sees("What else should");
    await terminal.sees("remove app-tunnel-1");
    terminal.press("up", "enter"); // the last one
    await terminal.sees("What should");
  });

  test("Ctrl-C also ends the wait for a cluster that says nothing", async () => {
    await using silent = await listen(net.createServer());
    const uri = (await cluster.addBot("silent")).replace(
      cluster.address,
      `127.0.0.1:${silent.port}`,
    );
    await using terminal = await onboard("silent", uri);
    await terminal.sees("Joining");
    await until("it has connected", () => silent.accepted() > 0, 60_000);
    terminal.press("ctrl-c");
    await terminal.sees("stopped; nothing was written");
    assert.equal(await terminal.ended(), 1);
  });

  test("a cluster that is not there is an error to mend", async () => {
    const absent = (await cluster.addBot("absent")).replace(
      cluster.address,
      `127.0.0.1:${await closedPort()}`,
    );
    await using terminal = await onboard("absent", absent);
    await terminal.sees(/Cannot join: .*ECONNREFUSED/);
    await terminal.sees("Try another join URI?");
    terminal.type("n");
    await terminal.sees("stopped; nothing was written");
    assert.equal(await terminal.ended(), 1);
    assert.ok(!existsSync(yard.path("absent/tbot.yaml")));
  });

  test("says what is wrong with its storage", async () => {
    await mkdir(yard.path("blocked"));
    await writeFile(yard.path("blocked/state"), "");
    await using terminal = await onboard("blocked", await cluster.addBot("blocked"));
    await terminal.sees(/Cannot join: .*blocked\/state/);
  });
});

test("without a terminal it names what works without one", async () => {
  const { code, out, err } = await yard.run("tbot", ["onboard", "tbot+proxy+token://x@a:1"]);
  assert.deepEqual([code, out], [2, ""]);
  assert.match(err, /no terminal here; `tbot configure`/);
});
