import { randomUUID } from "node:crypto";
import { connect } from "node:net";
import { eventId, auditWrite, type EventDraft } from "#domain/audit";
import { systemClock } from "#base/kernel";
import { closedPort, echoApplication, httpApplication } from "#testing/applications";
import { TestBot } from "#testing/bot";
import { startCluster, type TestCluster } from "#testing/cluster";

const HOUR_MS = 3_600_000;
const MAX_WRITES = 500;

/** A cluster with something to see: real bots behind real tunnels, and a week that was told before. */
export class Scene implements AsyncDisposable {
  readonly cluster: TestCluster;
  readonly #owned: AsyncDisposableStack;

  private constructor(cluster: TestCluster, owned: AsyncDisposableStack) {
    this.cluster = cluster;
    this.#owned = owned;
  }

  static async open(): Promise<Scene> {
    const owned = new AsyncDisposableStack();
    const cluster = owned.use(
      await startCluster({ publicAddr: "localhost", name: "tenon.localhost" }),
    );
    await cluster.put(...documents);
    await serve(cluster, owned);
    await tell(cluster);
    for (const each of machines) await start(cluster, each, owned);
    await cluster.lock(
      { user: "bot-nightly-report" },
      "writes to the wrong bucket; ask the data team",
    );
    return new Scene(cluster, owned);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#owned.disposeAsync();
  }
}

const role = (name: string, description: string, allow: object): object => ({
  kind: "role",
  version: "v1",
  metadata: { name, description },
  spec: { allow },
});

const labelled = (kind: string, name: string, team: string, spec: object): object => ({
  kind,
  version: "v1",
  metadata: { name, labels: { env: "staging", team } },
  spec,
});

const documents: readonly object[] = [
  role("deploy-staging", "what a deployment to staging needs", {
    app_labels: { team: ["platform"] },
    node_labels: { env: ["staging"] },
    kubernetes_labels: { env: ["staging"] },
    logins: ["{{internal.logins}}"],
  }),
  role("read-dashboards", "dashboards, to look at", { app_labels: { team: ["observability"] } }),
  role("migrate-orders", "the schema of the orders database", {
    db_labels: { team: ["orders"] },
    db_names: ["orders"],
    db_users: ["migrator"],
  }),
  ...["web-1", "web-2", "worker-1"].map((name, index) =>
    labelled("node", name, "platform", { addr: `10.0.4.${11 + index}:22`, hostname: name }),
  ),
];

const bots: readonly (readonly [
  name: string,
  roles: readonly string[],
  logins: readonly string[],
])[] = [
  ["ci-deploy", ["deploy-staging", "read-dashboards"], ["deploy", "release"]],
  ["dashboards", ["read-dashboards"], []],
  ["db-migrate", ["migrate-orders"], []],
  ["nightly-report", ["read-dashboards"], []],
  ["backup", ["deploy-staging"], ["backup"]],
  ["edge-01", ["read-dashboards"], []],
  ["edge-02", ["read-dashboards"], []],
  ["release", ["deploy-staging"], ["release"]],
];

interface Machine {
  readonly bot: string;
  readonly hostname: string;
  readonly app: string;
  readonly open: number;
}

const machines: readonly Machine[] = [
  { bot: "ci-deploy", hostname: "runner-7", app: "registry", open: 1 },
  { bot: "ci-deploy", hostname: "runner-9", app: "grafana", open: 2 },
  { bot: "dashboards", hostname: "wall-display", app: "grafana", open: 0 },
  { bot: "backup", hostname: "vault-2", app: "registri", open: 0 },
];

async function serve(cluster: TestCluster, owned: AsyncDisposableStack): Promise<void> {
  const page = owned.use(await httpApplication((_, response) => response.end("hello\n")));
  const echo = owned.use(await echoApplication());
  const apps = [
    ["grafana", "observability", page.port, "dashboards of everything"],
    ["registry", "platform", echo.port, "images for staging"],
    ["wiki", "platform", page.port, "how things are done"],
  ] as const;
  await cluster.serve(
    apps.map(([name, team, port, description]) => ({
      name,
      description,
      uri: `tcp://127.0.0.1:${port}`,
      labels: { env: "staging", team },
    })),
  );
  for (const [name, roles, logins] of bots)
    await cluster.admin.resources.create({ documents: [{ json: botOf(name, roles, logins) }] });
}

const botOf = (name: string, roles: readonly string[], logins: readonly string[]): string =>
  JSON.stringify({
    kind: "bot",
    version: "v1",
    metadata: { name },
    spec: { roles, traits: logins.length > 0 ? [{ name: "logins", values: logins }] : [] },
  });

async function start(
  cluster: TestCluster,
  machine: Machine,
  owned: AsyncDisposableStack,
): Promise<void> {
  const { bot: name, hostname, app } = machine;
  const token = `${name}-${hostname}`;
  const registrationSecret = randomUUID();
  await cluster.put({
    kind: "token",
    version: "v2",
    metadata: { name: token },
    spec: {
      roles: ["Bot"],
      bot_name: name,
      join_method: "bound_keypair",
      bound_keypair: {
        onboarding: { registration_secret: registrationSecret },
        recovery: { limit: 3 },
      },
    },
  });
  const port = await closedPort();
  const listen = `tcp://127.0.0.1:${port}`;
  const service = `${app}-tunnel`;
  const running = owned.use(
    await TestBot.start({
      cluster,
      join: { method: "bound_keypair", token, registrationSecret },
      host: { hostname, version: "0.1.0" },
      services: [{ type: "application-tunnel", name: service, app_name: app, listen }],
    }),
  );
  if (machine.open > 0) await running.healthy(service);
  for (let n = 0; n < machine.open; n++) owned.use(hold(port));
}

/** A connection that stays open, with a few bytes through it. */
function hold(port: number): AsyncDisposable {
  const socket = connect(port, "127.0.0.1");
  socket.on("error", () => {}).write("GET / HTTP/1.1\r\nHost: grafana\r\n\r\n");
  return { [Symbol.asyncDispose]: async () => void socket.destroy() };
}

/** What the audit log says of the week before. */
async function tell({ store }: TestCluster): Promise<void> {
  const now = systemClock.now();
  const writes = [];
  for (let at = now - 168 * HOUR_MS; at < now - HOUR_MS / 6; at += HOUR_MS / 3) {
    const busy = 1 + Math.round(3 * Math.abs(Math.sin(at / (24 * HOUR_MS))));
    for (const draft of [joined(at), ...Array.from({ length: busy }, () => issued)])
      writes.push(auditWrite(draft, { clock: { ...systemClock, now: () => at }, id: eventId(at) }));
  }
  for (let n = 0; n < writes.length; n += MAX_WRITES)
    await store.commit(writes.slice(n, n + MAX_WRITES));
}

const actor = { kind: "bot", name: "ci-deploy" } as const;
const issued: EventDraft = {
  type: "cert.issue",
  actor,
  remoteAddr: "10.0.9.7:51200",
  fields: { roles: ["deploy-staging"], app: "registry", ttl_seconds: 3_600 },
};
const joined = (at: number): EventDraft => ({
  type: "bot.join",
  actor,
  remoteAddr: "10.0.9.7:51200",
  fields: {
    bot: "ci-deploy",
    token: "ci-deploy-runner-7",
    join_method: "bound_keypair",
    instance_id: randomUUID(),
    recovery: at % (31 * HOUR_MS) < HOUR_MS / 3,
    generation: 1 + (Math.floor(at / HOUR_MS) % 500),
  },
});
