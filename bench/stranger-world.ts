import { randomUUID } from "node:crypto";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { create } from "@bufbuild/protobuf";
import { BoundKeypairInitSchema, InitSchema } from "@tenon/api/tenon/join/v1/join";
import { boundKeyLine, generateKeyPair, signJws, spkiDer, sshPublicKeyLine } from "#base/crypto";
import { CodedError, silentLogger, systemClock, unavailable } from "#base/kernel";
import { openSqliteStore, type Store } from "#base/storage";
import { LockSet } from "#domain/access";
import { AuditLog, eventIndexes } from "#domain/audit";
import { Authorities } from "#domain/authority";
import { JoinServer } from "#domain/join";
import {
  clusterConfigKind,
  parseDocument,
  Resources,
  storeIndexes,
  writeOf,
} from "#domain/resources";

/** What a stranger says. */
export interface Guess {
  readonly token: string;
  readonly secret?: string;
  readonly joinState?: string;
  /** Claims the victim's key, of which only the public half is known. */
  readonly victimsKey?: boolean;
}

const clock = systemClock;
const stranger = generateKeyPair("ed25519");
const victim = generateKeyPair("ed25519");
const tls = spkiDer(generateKeyPair("ecdsa-p256").publicKey);
const ssh = sshPublicKeyLine(generateKeyPair("ed25519").publicKey);
const host = { hostname: "machine-1", os: "linux", architecture: "x64", version: "1.0.0" };

/** The server's half of joining on a durable store, as a stranger meets it behind its port. */
export class StrangerWorld implements AsyncDisposable {
  readonly #server: JoinServer;
  readonly #owned: AsyncDisposableStack;
  readonly store: Store;

  private constructor(server: JoinServer, store: Store, owned: AsyncDisposableStack) {
    this.#server = server;
    this.#owned = owned;
    this.store = store;
  }

  static async open(): Promise<StrangerWorld> {
    await using owned = new AsyncDisposableStack();
    const directory = await mkdtemp(join(tmpdir(), "tenon-stranger-"));
    owned.defer(() => rm(directory, { recursive: true }));
    const indexes = [...storeIndexes, ...eventIndexes];
    const common = { clock, logger: silentLogger };
    const store = owned.use(await openSqliteStore({ directory, indexes, ...common }));
    const authorities = await Authorities.open({ ...common, store, clusterName: "bench.example" });
    const audit = owned.use(new AuditLog({ ...common, store, random: Math.random }));
    const { spec } = clusterConfigKind.schema.parse({
      kind: "cluster_config",
      version: "v1",
      metadata: { name: "cluster" },
      spec: { cluster_name: "bench.example" },
    });
    const server = new JoinServer({
      ...common,
      store,
      audit,
      authorities,
      resources: new Resources(store),
      locks: new LockSet(),
      config: async () => spec,
      issuers: { find: async () => Promise.reject(unavailable("no issuer")) },
    });
    const world = new StrangerWorld(server, store, owned.move());
    await world.#fill();
    return world;
  }

  /** Microseconds that the server takes for both of its answers, the second of which refuses. */
  async refuse({ token, secret = "", joinState = "", victimsKey }: Guess): Promise<number> {
    const line = boundKeyLine((victimsKey ? victim : stranger).publicKey);
    const ceremony = this.#server.begin({ remoteAddr: "192.0.2.1:1" });
    const init = create(InitSchema, {
      attemptId: randomUUID(),
      token,
      tlsPublicKey: tls,
      sshPublicKey: ssh,
      host,
      role: "Bot",
      method: {
        case: "boundKeypair",
        value: create(BoundKeypairInitSchema, {
          publicKey: line,
          registrationSecret: secret,
          previousJoinState: joinState,
        }),
      },
    });
    const start = performance.now();
    const reply = await ceremony.receive({ case: "init", value: init });
    const asked = performance.now() - start;
    if (reply?.case !== "challenge") throw new Error("nothing was asked");
    const jws = signJws(reply.value.document, stranger.privateKey);
    const again = performance.now();
    try {
      const value = { $typeName: "tenon.join.v1.Solution", jws } as const;
      await ceremony.receive({ case: "solution", value });
    } catch (error) {
      if (!(error instanceof CodedError) || error.code !== "access_denied") throw error;
      return (asked + performance.now() - again) * 1_000;
    }
    throw new Error(`a stranger was let in by "${token}"`);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#owned.disposeAsync();
  }

  async #fill(): Promise<void> {
    const bound = (name: string, onboarding: object, status?: object, more: object = {}) => ({
      kind: "token",
      version: "v2",
      metadata: { name, ...more },
      spec: {
        roles: ["Bot"],
        bot_name: name === "botless" ? "nobody" : "robot",
        join_method: "bound_keypair",
        bound_keypair: { onboarding, recovery: { limit: 3 } },
      },
      ...(status ? { status: { bound_keypair: status } } : {}),
    });
    const secret = { registration_secret: "s3cret" };
    const instance = randomUUID();
    const status = {
      bound_public_key: boundKeyLine(victim.publicKey),
      bound_bot_instance_id: instance,
      first_instance_id: instance,
      recovery_count: 1,
      recovery_sequence: 1,
    };
    const former_public_keys = Array.from({ length: 9 }, () =>
      boundKeyLine(generateKeyPair("ed25519").publicKey),
    );
    const rotated = { ...status, former_public_keys, last_rotated_at: "2026-02-01T00:00:00.000Z" };
    const key = { initial_public_key: boundKeyLine(victim.publicKey) };
    const documents: object[] = [
      {
        kind: "bot",
        version: "v1",
        metadata: { name: "robot" },
        spec: { roles: ["access"] },
      },
      {
        kind: "token",
        version: "v2",
        metadata: { name: "single-use-secret" },
        spec: { roles: ["Bot"], bot_name: "robot", join_method: "token" },
      },
      bound("new", secret),
      bound("botless", secret),
      bound("keyed", key),
      bound("late", { ...secret, must_register_before: "2026-01-01T00:00:00Z" }),
      bound("used", secret, status),
      bound("rotated", secret, rotated),
    ];
    await this.store.commit(documents.map((each) => writeOf(parseDocument(each), "put")));
  }
}
