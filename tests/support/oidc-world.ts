// A JoinCluster, an issuer whose keys it knows, and machines with ID tokens of that issuer.
import type { JoinSettings } from "#domain/join";
import { GITHUB, githubClaims, IdTokens, type TestClaims } from "./id-tokens.ts";
import { JoinCluster } from "./join.ts";
import { Machine } from "./join-machine.ts";

export const HOST_ID = "11111111-2222-4333-8444-555555555555";

export class OidcWorld implements AsyncDisposable {
  readonly cluster: JoinCluster;
  readonly tokens: IdTokens;

  private constructor(cluster: JoinCluster, tokens: IdTokens) {
    this.cluster = cluster;
    this.tokens = tokens;
  }

  /** With token `t` for bot `robo`, which lets jobs of octo/app in. */
  static async open(wrap?: Parameters<typeof JoinCluster.open>[0]): Promise<OidcWorld> {
    const cluster = await JoinCluster.open(wrap);
    const tokens = await IdTokens.open(GITHUB, cluster.clock);
    cluster.published.set(GITHUB, tokens.jwks);
    const world = new OidcWorld(cluster, tokens);
    await world.addToken("t");
    return world;
  }

  /** A token of method `github`, or what `spec` says. */
  async addToken(name: string, spec: object = {}, expires?: string): Promise<void> {
    await this.cluster.put({
      kind: "token",
      version: "v2",
      metadata: { name, ...(expires ? { expires } : {}) },
      spec: {
        roles: ["Bot"],
        bot_name: "robo",
        join_method: "github",
        github: { allow: [{ repository: "octo/app" }], require_challenge: false },
        ...spec,
      },
    });
  }

  /** An ID token as a job of octo/app gets it; it lies there and is shown at every join. */
  async held(claims: TestClaims = {}, header?: Record<string, unknown>): Promise<Machine> {
    const text = await this.idToken(claims, header);
    return this.machine({ idToken: { kind: "held", read: async () => text } });
  }

  /** A machine that gets an ID token for whatever audience it asks for. */
  onDemand(claims: TestClaims = {}, settings: Partial<JoinSettings> = {}): Machine {
    const request = (aud: string): Promise<string> => this.idToken({ aud, ...claims });
    return this.machine({ idToken: { kind: "on_demand", request }, ...settings });
  }

  machine(settings: Partial<JoinSettings>): Machine {
    return new Machine(this.cluster, { token: "t", method: "github", ...settings });
  }

  agent(settings: Partial<JoinSettings> = {}): Machine {
    const host = { hostname: "agent-1", hostId: HOST_ID };
    return this.onDemand({}, { token: "agents", role: "App", host, ...settings });
  }

  idToken(claims: TestClaims = {}, header?: Record<string, unknown>): Promise<string> {
    return this.tokens.sign({ ...githubClaims, aud: "test.example", ...claims }, header);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.cluster[Symbol.asyncDispose]();
  }
}
