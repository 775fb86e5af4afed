// A cluster with a bot, its tunnel and outputs, an agent, and connections through all of them.
import assert from "node:assert/strict";
import { once } from "node:events";
import { readFile } from "node:fs/promises";
import net from "node:net";
import { join } from "node:path";
import { text } from "node:stream/consumers";
import { derFromPem, parseX509, publicKeyFromSpki, verifyX509Signature } from "#base/crypto";
import { systemClock } from "#base/kernel";
import { RpcChannel } from "#base/rpc";
import { decodeIdentityFile, HOST_SERVER_NAME } from "#domain/authority";
import { decodeJoinState, identityOf } from "#domain/join";
import type { AuthorityType, RotationPhase } from "#domain/resources";
import { AuthService } from "@tenon/api/tenon/auth/v1/auth";
import { dialDirect, echoApplication, type TestServer } from "./applications.ts";
import { TestBot } from "./bot.ts";
import { TestCluster, type TestAgent } from "./cluster.ts";
import type { TestIdentity } from "./identities.ts";
import { until } from "./wait.ts";

/** Between two new connections of the traffic. */
const BEAT_MS = 25;

export class RotationScene implements AsyncDisposable {
  cluster: TestCluster;
  readonly bot: TestBot;
  readonly agent: TestAgent;
  readonly echo: TestServer;
  /** Connections that were made through the bot's tunnel while all went on. */
  made = 0;
  readonly failures: unknown[] = [];
  /** Open since before everything. */
  readonly #long: net.Socket;
  readonly #stop = new AbortController();
  readonly #traffic: Promise<void>;

  static async open(dataDir: string): Promise<RotationScene> {
    const echo = await echoApplication();
    const cluster = await TestCluster.start({ dataDir });
    await cluster.role("all");
    const alice = { metadata: { name: "alice" }, spec: { roles: ["all"] } };
    await cluster.put({ kind: "user", version: "v1", ...alice });
    const app = { name: "echo", uri: `tcp://127.0.0.1:${echo.port}` };
    const agent = await cluster.serve([app], { keep: true });
    const bot = await TestBot.start({
      cluster,
      services: [
        { type: "application-tunnel", app_name: "echo", listen: "unix://{dir}/echo.sock" },
        { type: "identity", destination: "{dir}/identity" },
        { type: "application", app_name: "echo", destination: "{dir}/app" },
      ],
    });
    for (const service of ["app-tunnel-1", "identity-1", "app-1"]) await bot.healthy(service);
    const long = net.connect(join(bot.directory, "echo.sock"));
    await once(long, "connect");
    return new RotationScene({ echo, cluster, agent, bot, long });
  }

  private constructor(parts: {
    echo: TestServer;
    cluster: TestCluster;
    agent: TestAgent;
    bot: TestBot;
    long: net.Socket;
  }) {
    this.echo = parts.echo;
    this.cluster = parts.cluster;
    this.agent = parts.agent;
    this.bot = parts.bot;
    this.#long = parts.long.on("error", (error) => this.failures.push(error));
    this.#traffic = this.#beat();
  }

  /** Takes authorities to a phase, as `tctl auth rotate --manual` does. */
  async to(phase: RotationPhase, types: readonly AuthorityType[]): Promise<void> {
    const { admin } = this.cluster;
    const { changed } = await admin.auth.rotateAuthority({
      types: [...types],
      phase,
      manual: true,
    });
    assert.equal(changed, true, `${types.join()} were in ${phase} already`);
  }

  /** Waits until bot and agent, and the files, trust and show what the cluster does now. */
  async followed(): Promise<void> {
    await until("the bot's own identity follows", () => this.#isCurrent(this.bot.identity));
    await until("the bot's output follows", () => this.#outputFollows());
    await until("the bot's application output follows", () => this.#caFilesFollow("app"));
    await until("the agent follows", async () => this.#isCurrent(await this.#agentIdentity()));
    await this.healthy();
  }

  async healthy(): Promise<void> {
    for (const service of ["bot-identity", "app-tunnel-1", "identity-1", "app-1"])
      await this.bot.healthy(service);
    await until("the agent is healthy", () => this.agent.agent.status.status === "healthy");
  }

  /** The oldest connection still carries, and so does every way to make a new one. */
  async carries(): Promise<void> {
    this.#long.write("still here");
    assert.equal(String((await once(this.#long, "data"))[0]), "still here");
    assert.equal(await this.#throughTunnel("new"), "new");
    const direct = dialDirect(this.cluster, "echo", this.newIdentity());
    direct.end("direct");
    assert.equal(await text(direct), "direct");
    await this.callWithOutput();
    assert.deepEqual(this.failures, []);
  }

  newIdentity(): TestIdentity {
    return this.cluster.identities.user({ roles: ["all"], appName: "echo" });
  }

  /** A program that uses what the bot wrote, and trusts only what stands in it. */
  async callWithOutput(): Promise<void> {
    const file = await readFile(join(this.bot.directory, "identity/identity"), "utf8");
    const { privateKey, tlsCertificate, trust } = decodeIdentityFile(file);
    using channel = new RpcChannel({
      target: this.cluster.address,
      tls: {
        ca: trust.hostX509.map(pemOf),
        serverName: HOST_SERVER_NAME(trust.clusterName),
        cert: pemOf(tlsCertificate),
        key: String(privateKey.export({ type: "pkcs8", format: "pem" })),
      },
      clock: systemClock,
    });
    // Known, and not let in: its roles allow nothing.
    await assert.rejects(channel.client(AuthService).getStatus({}), { code: "access_denied" });
  }

  /** The cluster's process ends and starts again; the bot and the agent come back by themselves. */
  async restart(): Promise<void> {
    this.#long.destroy();
    const { dataDir } = this.cluster;
    const { port } = this.cluster.address;
    this.#stop.abort();
    await this.#traffic;
    await this.cluster[Symbol.asyncDispose]();
    await until("the agent notices", () => this.agent.agent.status.status === "unhealthy");
    this.cluster = await TestCluster.start({ dataDir, port });
    await this.healthy();
    assert.equal(await this.#throughTunnel("again"), "again");
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#stop.abort();
    await this.#traffic;
    this.#long.destroy();
    await this.bot[Symbol.asyncDispose]();
    await this.agent[Symbol.asyncDispose]();
    await this.cluster[Symbol.asyncDispose]();
    await this.echo[Symbol.asyncDispose]();
  }

  /** New connections through the tunnel, one after another, until the scene ends. */
  async #beat(): Promise<void> {
    while (!this.#stop.signal.aborted) {
      try {
        assert.equal(await this.#throughTunnel("beat"), "beat");
        this.made += 1;
      } catch (error) {
        this.failures.push(error);
      }
      await new Promise((resolve) => setTimeout(resolve, BEAT_MS));
    }
  }

  async #throughTunnel(words: string): Promise<string> {
    const socket = net.connect({
      path: join(this.bot.directory, "echo.sock"),
      allowHalfOpen: true,
    });
    socket.end(words);
    return await text(socket);
  }

  /** Whether it trusts what the cluster does, in its order, and is signed by what signs now. */
  #isCurrent(
    identity: Pick<NonNullable<TestBot["identity"]>, "trust" | "tlsCertificate"> | undefined,
  ): boolean {
    if (!identity) return false;
    const { trust } = this.cluster;
    try {
      assert.deepEqual(identity.trust, trust);
    } catch {
      return false;
    }
    return [trust.userX509[0]!, trust.hostX509[0]!].some((ca) =>
      isSignedBy(identity.tlsCertificate, ca),
    );
  }

  async #outputFollows(): Promise<boolean> {
    const file = async (name: string): Promise<string> =>
      await readFile(join(this.bot.directory, "identity", name), "utf8");
    const { trust } = this.cluster;
    const [certificate] = derFromPem(await file("tlscert"));
    const known = await file("known_hosts");
    const lines = known
      .trim()
      .split("\n")
      .map((line) => line.split(" ").slice(2, 4).join(" "));
    return (
      (await this.#caFilesFollow("identity")) &&
      isSignedBy(certificate!, trust.userX509[0]!) &&
      lines.join() === trust.hostSsh.map((line) => line.split(" ").slice(0, 2).join(" ")).join()
    );
  }

  async #caFilesFollow(output: string): Promise<boolean> {
    const { hostX509, userX509, databaseX509 } = this.cluster.trust;
    const expected = { host: hostX509, user: userX509, database: databaseX509 };
    for (const [type, ders] of Object.entries(expected)) {
      const path = join(this.bot.directory, output, `tenon-${type}-ca.crt`);
      const found = derFromPem(await readFile(path, "utf8"));
      if (found.length !== ders.length) return false;
      if (!found.every((der, index) => der.equals(ders[index]!))) return false;
    }
    return true;
  }

  async #agentIdentity() {
    const path = join(this.agent.dataDir, "join-state.json");
    return identityOf(decodeJoinState(await readFile(path, "utf8")).joined!);
  }
}

const pemOf = (der: Buffer): string =>
  `-----BEGIN CERTIFICATE-----\n${der.toString("base64").replaceAll(/.{64}/g, "$&\n")}\n-----END CERTIFICATE-----\n`;

function isSignedBy(der: Buffer, authority: Buffer): boolean {
  return verifyX509Signature(parseX509(der), publicKeyFromSpki(parseX509(authority).spki));
}
