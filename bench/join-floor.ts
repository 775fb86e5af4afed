// The floor under bench/join.ts: what a ceremony cannot do without, each alone.
import { fork, type ChildProcess } from "node:child_process";
import { randomBytes, randomUUID, sign, verify } from "node:crypto";
import { once } from "node:events";
import { generateKeyPair, privateKeyPem, spkiDer, x509Pem } from "#base/crypto";
import { HOST_SERVER_NAME, type Authorities } from "#domain/authority";
import { cpuSince, cpuTime } from "./join-cpu.ts";
import { dialTls, sessionOf, type Endpoint } from "./join-line.ts";
import { contextOf, type Machine } from "./join-machines.ts";
import { inLanes } from "./support.ts";

const CRYPTO_ROUND_MS = 150;

export class Floor implements Disposable {
  readonly #server: ChildProcess;
  readonly #endpoint: Endpoint;
  readonly #ca: string;
  readonly #ceremony = signatures();

  private constructor(server: ChildProcess, endpoint: Endpoint, ca: string) {
    this.#server = server;
    this.#endpoint = endpoint;
    this.#ca = ca;
  }

  static async open(pair: HostPair): Promise<Floor> {
    const server = fork(new URL("join-floor-server.ts", import.meta.url));
    server.send({ cert: pair.cert, key: pair.key });
    const [{ port }] = (await once(server, "message")) as [{ port: number }];
    return new Floor(server, { port, serverName: pair.serverName }, pair.ca);
  }

  /** Server microseconds of one handshake in which both sides show a certificate. */
  async handshake(machines: readonly Machine[]): Promise<number> {
    return await this.#each(machines, (machine) => this.#shake(machine));
  }

  async resumed(machines: readonly Machine[]): Promise<number> {
    const sessions = new Map<Machine, Buffer>();
    await inLanes(machines, async (machine) => {
      const context = contextOf(machine, this.#ca);
      sessions.set(machine, await sessionOf({ endpoint: this.#endpoint, context }));
    });
    return await this.#each(machines, (machine) => this.#shake(machine, sessions.get(machine)));
  }

  /** Microseconds of the signatures and the verification that each refresh needs. */
  crypto(): number {
    const before = process.cpuUsage();
    for (let count = 1; ; count++) {
      this.#ceremony();
      const { user, system } = process.cpuUsage(before);
      if (user + system >= CRYPTO_ROUND_MS * 1_000) return (user + system) / count;
    }
  }

  [Symbol.dispose](): void {
    this.#server.disconnect();
  }

  async #each(
    machines: readonly Machine[],
    once: (machine: Machine) => Promise<void>,
  ): Promise<number> {
    const pid = this.#server.pid!;
    const before = cpuTime(pid);
    await inLanes(machines, once);
    return cpuSince(pid, before).total / machines.length;
  }

  async #shake(machine: Machine, session?: Buffer): Promise<void> {
    const socket = await dialTls({
      endpoint: this.#endpoint,
      context: contextOf(machine, this.#ca),
      ...(session ? { session } : {}),
    });
    if (socket.isSessionReused() !== (session !== undefined))
      throw new Error("a session was not resumed, or one was that should not be");
    // The server's own end comes after all of its handshake.
    socket.resume().end();
    await once(socket, "close");
  }
}

export interface HostPair {
  readonly cert: string;
  readonly key: string;
  readonly ca: string;
  readonly serverName: string;
}

/** Signs the join state, both certificates; verifies the solved challenge. */
function signatures(): () => void {
  const bytes = randomBytes(600);
  const p256 = generateKeyPair("ecdsa-p256");
  const ed25519 = generateKeyPair("ed25519");
  const solution = sign(null, bytes, ed25519.privateKey);
  return () => {
    verify(null, bytes, ed25519.publicKey, solution);
    sign(null, bytes, ed25519.privateKey);
    sign("sha256", bytes, p256.privateKey);
    sign(null, bytes, ed25519.privateKey);
  };
}

/** A host certificate such as the cluster shows, for the bare server. */
export function hostPair(authorities: Authorities): HostPair {
  const { privateKey, publicKey } = generateKeyPair("ecdsa-p256");
  const { tlsCertificate, trust } = authorities.issueHost(
    { hostId: randomUUID(), roles: ["Proxy"] },
    { tlsPublicKey: spkiDer(publicKey), ttlMs: DAY_MS },
  );
  return {
    cert: x509Pem(tlsCertificate),
    key: privateKeyPem(privateKey),
    ca: trust.hostX509.map(x509Pem).join(""),
    serverName: HOST_SERVER_NAME(authorities.clusterName),
  };
}

const DAY_MS = 24 * 60 * 60 * 1000;
