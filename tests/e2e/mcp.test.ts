// `tbot mcp` as an agent sees it: the protocol's own client over stdio, a real bot and cluster behind it.
import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { once } from "node:events";
import { existsSync } from "node:fs";
import { readFile, stat } from "node:fs/promises";
import { dirname, join } from "node:path";
import { after, before, describe, test } from "node:test";
import { Client, type CallToolResult } from "@modelcontextprotocol/client";
import { StdioClientTransport } from "@modelcontextprotocol/client/stdio";
import { closedPort, httpApplication, type TestServer } from "#testing/applications";
import { needs } from "#testing/needs";
import { Yard } from "#testing/processes";
import { RealBot } from "#testing/real-bot";
import { CLUSTER, RealCluster } from "#testing/real-cluster";
import { until } from "#testing/wait";

const main = new URL("../../src/programs/tbot/main.ts", import.meta.url).pathname;

/** What no step takes, on the slowest machine. */
const PATIENCE_MS = 60_000;

let yard: Yard;
let cluster: RealCluster;
let bot: RealBot;
let application: TestServer;
let socket: string;
let credentialSocket: string;

before(async () => {
  yard = await Yard.open();
  cluster = await RealCluster.start(yard);
  application = await httpApplication((_request, response) => response.end("hello\n"));
  await cluster.serve("hello", `http://127.0.0.1:${application.port}`);
  socket = yard.path("api", "bot.sock");
  const allowed_types = ["app-tunnel", "identity"];
  const api = { type: "bot-api", listen: `unix://${socket}`, allowed_types };
  credentialSocket = yard.path("credentials", "bot.sock");
  const sockets = [{ path: credentialSocket, roles: ["access"], max_ttl: "10m" }];
  bot = await RealBot.start({ cluster, name: "robot", services: [api], more: { sockets } });
  await bot.ready();
});
after(async () => {
  await application[Symbol.asyncDispose]();
  await yard[Symbol.asyncDispose]();
});

interface AgentOptions {
  readonly era?: "modern";
  readonly words?: readonly string[];
  readonly env?: Readonly<Record<string, string>>;
}

/** An agent, and what the server said beside its answers. */
class Agent implements AsyncDisposable {
  readonly client: Client;
  #err = "";

  private constructor(client: Client) {
    this.client = client;
  }

  static async start(options: AgentOptions = {}): Promise<Agent> {
    const { era, env = {}, words = [`--socket=${socket}`] } = options;
    const info = { name: "test", version: "1" };
    const agent = new Agent(
      new Client(info, era ? { versionNegotiation: { mode: "auto" } } : undefined),
    );
    const transport = new StdioClientTransport({
      command: process.execPath,
      args: [main, "mcp", ...words],
      cwd: yard.directory,
      env: { PATH: process.env["PATH"]!, ...env },
      stderr: "pipe",
    });
    transport.stderr?.on("data", (text: Buffer) => (agent.#err += text.toString()));
    await agent.client.connect(transport);
    return agent;
  }

  get err(): string {
    return this.#err;
  }

  async call(name: string, input: object = {}): Promise<CallToolResult> {
    return await this.client.callTool({ name, arguments: { ...input } });
  }

  /** The value of a call that went well. */
  async value<T>(name: string, input: object = {}): Promise<T> {
    const result = await this.call(name, input);
    assert.ok(!result.isError, textOf(result));
    assert.deepEqual(JSON.parse(textOf(result)), result.structuredContent);
    return result.structuredContent as T;
  }

  /** What it says of a call that did not. */
  async refusal(name: string, input: object = {}): Promise<string> {
    const result = await this.call(name, input);
    assert.equal(result.isError, true, textOf(result));
    return textOf(result);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.client.close();
  }
}

const textOf = ({ content }: CallToolResult): string =>
  content.map((part) => (part.type === "text" ? part.text : "")).join("");

interface Status {
  readonly name: string;
  readonly status: string;
  readonly spawned: boolean;
}

for (const era of ["legacy", "modern"] as const)
  test(`an agent of the ${era} protocol finds, starts, watches and stops a service`, async () => {
    await using agent = await Agent.start(era === "modern" ? { era } : {});
    assert.match(agent.client.getInstructions() ?? "", /identity/);
    const { tools } = await agent.client.listTools();
    for (const { name, description, annotations } of tools) {
      assert.ok(description, name);
      assert.equal(typeof annotations?.readOnlyHint, "boolean", name);
    }

    const { resources } = await agent.value<{ resources: { name: string }[] }>("query_resources", {
      kind: "apps",
      labels: {},
    });
    assert.deepEqual(
      resources.map(({ name }) => name),
      ["hello"],
    );

    const port = await closedPort();
    const service = { type: "app-tunnel", app: "hello", listen: `tcp://127.0.0.1:${port}` };
    const started = await agent.value<Status & { outcome: string }>("start_service", { service });
    assert.deepEqual([started.outcome, started.status], ["started", "healthy"]);
    assert.equal(await (await fetch(`http://127.0.0.1:${port}/`)).text(), "hello\n");

    const { services } = await agent.value<{ services: Status[] }>("list_services");
    assert.deepEqual(
      services.filter(({ spawned }) => spawned).map(({ name }) => name),
      [started.name],
    );
    const status = await agent.value<Status>("service_status", {
      name: started.name,
      wait_seconds: 5,
    });
    assert.equal(status.status, "healthy");

    assert.deepEqual(await agent.value("stop_service", { name: started.name }), {
      stopped: started.name,
    });
    await assert.rejects(fetch(`http://127.0.0.1:${port}/`));
  });

describe("what an agent may not, or gets wrong", () => {
  const listen = "tcp://127.0.0.1:0";
  for (const [what, name, input, message] of [
    [
      "a type beyond the caps of the socket",
      "start_service",
      { service: { type: "application", app_name: "hello", destination: "./out" } },
      /access_denied[\s\S]*\\"application\\" is not allowed here; allowed: .*application-tunnel/,
    ],
    [
      "an application that is not there, with the one that was meant",
      "start_service",
      { service: { type: "app-tunnel", app_name: "helo", listen } },
      /"outcome": "failed"[\s\S]*did you mean \\"hello\\"/,
    ],
    [
      "a misspelt field",
      "start_service",
      { service: { type: "app-tunnel", app_nam: "hello", listen } },
      /service\.app_nam: unknown field; did you mean "app_name"/,
    ],
    ["no service at all", "start_service", {}, /service: is required/],
    [
      "a wait of a day",
      "service_status",
      { name: "bot-api-1", wait_seconds: 86_400 },
      /wait_seconds/,
    ],
    ["another kind", "query_resources", { kind: "app" }, /did you mean "apps"/],
    [
      "an unknown name",
      "stop_service",
      { name: "nope" },
      /not_found[\s\S]*there are: bot-identity/,
    ],
    ["the end of the bot itself", "stop_service", { name: "bot-identity" }, /bad_parameter/],
    ["an argument that no tool has", "list_services", { all: true }, /all: unknown field/],
  ] as const)
    test(what, async () => {
      await using agent = await Agent.start();
      const said = await agent.refusal(name, input);
      assert.match(said, message);
      const { services } = await agent.value<{ services: Status[] }>("list_services");
      for (const { name: left, spawned } of services)
        if (spawned) await agent.value("stop_service", { name: left });
    });

  test("a tool that does not exist", async () => {
    await using agent = await Agent.start();
    await assert.rejects(agent.call("delete_everything"), /delete_everything/);
  });

  test("bytes that are no message end nothing", async () => {
    const child = spawn(process.execPath, [main, "mcp", `--socket=${socket}`], {
      stdio: ["pipe", "pipe", "pipe"],
    });
    const out: string[] = [];
    child.stdout.setEncoding("utf8").on("data", (text: string) => out.push(text));
    child.stderr.resume();
    child.stdin.write("no json\n{}\n[1]\n");
    const params = {
      protocolVersion: "2025-06-18",
      capabilities: {},
      clientInfo: { name: "x", version: "1" },
    };
    child.stdin.write(
      `${JSON.stringify({ jsonrpc: "2.0", id: 7, method: "initialize", params })}\n`,
    );
    await until("it answers", () => out.join("").includes('"id":7'), PATIENCE_MS);
    for (const line of out.join("").trim().split("\n")) JSON.parse(line);
    child.stdin.end();
    assert.deepEqual(await once(child, "exit"), [0, null]);
  });
});

describe("a credential for an agent", needs("curl"), () => {
  const words = (): string[] => [`--socket=${socket}`, `--credential-socket=${credentialSocket}`];
  const credential = { kind: "application", app: "hello", ttl: "1m" };

  interface Issued {
    readonly files: readonly string[];
    readonly expires: string;
  }

  const issuedIn = ({ structuredContent }: CallToolResult): Issued => structuredContent as Issued;

  test("is not offered without a socket for it", async () => {
    await using agent = await Agent.start();
    const { tools } = await agent.client.listTools();
    assert.ok(!tools.some(({ name }) => name === "issue_credential"));
  });

  test("is written to files, opens what it is for, and is gone when the agent is", async () => {
    const agent = await Agent.start({ words: words() });
    const result = await agent.call("issue_credential", { credential });
    assert.ok(!result.isError, textOf(result));
    const { files, expires }: Issued = issuedIn(result);
    const file = (name: string): string => files.find((path) => path.endsWith(`/${name}`))!;
    const key = await readFile(file("key"), "utf8");
    assert.match(key, /PRIVATE KEY/);
    assert.ok(!JSON.stringify(result).includes(key.split("\n")[1]!));
    assert.equal((await stat(file("key"))).mode & 0o777, 0o600);
    assert.equal((await stat(dirname(file("key")))).mode & 0o777, 0o700);
    assert.ok(Date.parse(expires) - Date.now() <= 60_000);
    const page = await yard.exec([
      "curl",
      "-s",
      "--cert",
      file("tlscert"),
      "--key",
      file("key"),
      "--cacert",
      yard.path("data", "web.crt"),
      `https://hello.${CLUSTER}:${cluster.port}/`,
    ]);
    assert.equal(page.out, "hello\n", page.err);

    await agent.client.close();
    await until("its directory is removed", () => !existsSync(file("key")), PATIENCE_MS);
    assert.match(bot.process.printed, /issued credentials .*purpose=mcp\/issue_credential/);
    const [event] = await cluster.events("--type=cert.issue", "--bot=robot");
    const { requester } = event!["fields"] as { requester: Record<string, unknown> };
    assert.deepEqual(requester["uid"], process.getuid?.());
    assert.match(String(requester["executable"]), /node/);
  });

  test("stays where it was told to be written, and another of its name replaces it", async () => {
    const directory = yard.path("agent");
    const told = [...words(), `--credential-directory=${directory}`];
    {
      await using agent = await Agent.start({ words: told });
      for (const _time of [1, 2])
        await agent.value("issue_credential", { credential, name: "page" });
    }
    assert.ok(existsSync(join(directory, "page", "tlscert")));
    assert.equal((await stat(directory)).mode & 0o777, 0o700);
  });

  for (const [what, input, message] of [
    [
      "a role beyond the socket's",
      { credential: { kind: "identity", roles: ["editor"] } },
      /access_denied[\s\S]*does not allow the role \\"editor\\"/,
    ],
    [
      "a longer life than the socket's",
      { credential: { kind: "identity", ttl: "1h" } },
      /bad_parameter[\s\S]*1h is more than the socket allows/,
    ],
    [
      "a place of its own choice",
      { credential: { kind: "identity", out: "/etc" } },
      /credential\.out: unknown field/,
    ],
    [
      "a name that leads elsewhere",
      { credential, name: "../page" },
      /name: must be up to 64 letters/,
    ],
    ["an unknown kind", { credential: { kind: "root" } }, /identity, application/],
    [
      "an application that is not there",
      { credential: { kind: "application", app: "helo" } },
      /not_found[\s\S]*did you mean \\"hello\\"/,
    ],
  ] as const)
    test(`is refused: ${what}`, async () => {
      await using agent = await Agent.start({ words: words() });
      assert.match(await agent.refusal("issue_credential", input), message);
    });
});

test("it reads the configuration and the logs, and no secret is in them", async () => {
  await using agent = await Agent.start();
  const { resources } = await agent.client.listResources();
  assert.deepEqual(
    resources.map(({ uri }) => uri),
    ["tenon://bot/configuration", "tenon://bot/log"],
  );
  const read = async (uri: string): Promise<string> => {
    const { contents } = await agent.client.readResource({ uri });
    return contents.map((part) => ("text" in part ? part.text : "")).join("");
  };
  assert.match(await read("tenon://bot/configuration"), /type: bot-api/);
  assert.match(await read("tenon://bot/log"), /joined the cluster/);
  const own = await read("tenon://bot/log/bot-api-1");
  assert.match(own, /takes orders/);
  assert.doesNotMatch(own, /joined the cluster/);
  assert.doesNotMatch(await read("tenon://bot/configuration"), /registration_secret:/);
});

test("each call is in the bot's log, with the process that made it and the tool", async () => {
  await using agent = await Agent.start();
  await agent.value("query_resources", { kind: "nodes" });
  await agent.refusal("stop_service", { name: "nobody" });
  const lines = bot.process.printed.split("\n").filter((line) => line.includes("called"));
  for (const [call, tool] of [
    ["query", "query_resources"],
    ["stopService", "stop_service"],
  ])
    assert.ok(
      lines.some(
        (line) =>
          new RegExp(`call=${call} uid=\\d+ pid=\\d+ executable=\\S+`).test(line) &&
          line.includes(`purpose=mcp/${tool}`),
      ),
      lines.join("\n"),
    );
  assert.match(agent.err, /answered tool=query_resources/);
});

test("a bot that goes away is an answer, and so is one that comes back", async () => {
  await using agent = await Agent.start();
  await agent.value("list_services");
  await bot.stop();
  assert.match(await agent.refusal("list_services"), /"code": "unavailable"/);
  bot.startAgain();
  await bot.ready();
  await agent.value("list_services");
});

test("without --socket it takes the one of tbot start bot-api", async () => {
  await using agent = await Agent.start({ words: [], env: { XDG_RUNTIME_DIR: yard.path("run") } });
  assert.match(await agent.refusal("list_services"), /run\/tenon\/bot-api\.sock/);
});
