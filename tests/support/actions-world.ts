// A cluster with two applications, an issuer in GitHub's place, and a runner for jobs of octo/app.
import { writeFile } from "node:fs/promises";
import { systemClock } from "#base/kernel";
import { httpApplication, type TestServer } from "./applications.ts";
import { githubClaims } from "./id-tokens.ts";
import { TestIssuer } from "./issuer.ts";
import { Yard } from "./processes.ts";
import { RealCluster } from "./real-cluster.ts";
import { Runner, type JobResult } from "./runner.ts";

export class ActionsWorld implements AsyncDisposable {
  readonly cluster: RealCluster;
  readonly runner: Runner;
  readonly vars: Readonly<Record<"TENON_PROXY" | "TENON_CA_PIN", string>>;
  readonly #owned: AsyncDisposableStack;

  private constructor(made: {
    cluster: RealCluster;
    runner: Runner;
    vars: ActionsWorld["vars"];
    owned: AsyncDisposableStack;
  }) {
    this.cluster = made.cluster;
    this.runner = made.runner;
    this.vars = made.vars;
    this.#owned = made.owned;
  }

  /** Tokens: `example-bot` lets octo/app in, `other-bot` another repository. */
  static async open(): Promise<ActionsWorld> {
    await using owned = new AsyncDisposableStack();
    const claims = githubClaims;
    const issuer = owned.use(
      await TestIssuer.open({ clock: systemClock, path: "/_services/token", claims }),
    );
    const yard = owned.use(await Yard.open());
    await writeFile(yard.path("issuer-ca.pem"), issuer.ca);
    const machine = { NODE_EXTRA_CA_CERTS: yard.path("issuer-ca.pem") };
    const cluster = await RealCluster.start(yard, machine);
    await addTokens(cluster, issuer.host);
    for (const name of ["dumper", "foo"]) {
      const application = owned.use(await greeter(name));
      await cluster.serve(name, `http://127.0.0.1:${application.port}`);
    }
    const status = await cluster.tctlJson<{ ca_pins: string[] }>("status");
    const vars = { TENON_PROXY: cluster.address, TENON_CA_PIN: status.ca_pins[0]! };
    const idToken = { url: issuer.requestUrl, token: issuer.requestToken };
    const runner = owned.use(await Runner.open({ machine, vars, idToken }));
    return new ActionsWorld({ cluster, runner, vars, owned: owned.move() });
  }

  /** Runs a job of these steps, with the permission to get ID tokens. */
  async job(steps: readonly object[]): Promise<JobResult> {
    return await this.runner.run(workflowOf(steps));
  }

  /** The step that starts a bot, with `more` inputs. */
  bot(more: Readonly<Record<string, string>> = {}, name = "bot"): object {
    const usual = { proxy: this.vars.TENON_PROXY, "ca-pin": this.vars.TENON_CA_PIN };
    const inputs = { ...usual, token: "example-bot", ...more };
    return { name, id: name, uses: "./actions/bot-api", with: inputs };
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#owned.disposeAsync();
  }
}

/** The step that starts services; they are given as tbot.yaml has them. */
export function services(
  list: readonly object[] | string,
  more: Readonly<Record<string, string>> = {},
): object {
  const text = typeof list === "string" ? list : JSON.stringify(list);
  const inputs = { services: text, ...more };
  return { name: "services", id: "services", uses: "./actions/start-service", with: inputs };
}

const workflowOf = (steps: readonly object[]): string =>
  JSON.stringify({
    on: "push",
    permissions: { "id-token": "write" },
    jobs: { test: { "runs-on": "ubuntu-latest", steps } },
  });

const greeter = (name: string): Promise<TestServer> =>
  httpApplication((_, response) => response.end(`Hello from ${name}\n`));

async function addTokens(cluster: RealCluster, issuerHost: string): Promise<void> {
  const bot = { kind: "bot", version: "v1", metadata: { name: "ci" }, spec: { roles: ["access"] } };
  const token = (name: string, repository: string): object => ({
    kind: "token",
    version: "v2",
    metadata: { name },
    spec: {
      roles: ["Bot"],
      bot_name: "ci",
      join_method: "github",
      github: { enterprise_server_host: issuerHost, allow: [{ repository }] },
    },
  });
  const documents = [bot, token("example-bot", "octo/app"), token("other-bot", "octo/other")];
  const file = cluster.yard.path("tokens.yaml");
  await writeFile(file, documents.map((each) => JSON.stringify(each)).join("\n---\n"));
  await cluster.tctl("create", "-f", file);
}
