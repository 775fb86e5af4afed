import { runProgram, type CommandIo, type Program } from "#base/cli";
import { generateKeyPair, privateKeyPem, spkiDer, sshPublicKeyLine, x509Pem } from "#base/crypto";
import { silentLogger, systemClock } from "#base/kernel";
import { Metrics } from "#base/observe";
import { createRpcServer, type RpcServer } from "#base/rpc";
import { openMemoryStore, type Store } from "#base/storage";
import { builtinRoleWrites } from "#domain/access";
import { AuditLog, eventIndexes } from "#domain/audit";
import { Authorities, encodeIdentityFile } from "#domain/authority";
import { parseDocument, Resources, storeIndexes, writeOf } from "#domain/resources";
import { signInIndexes } from "#domain/sign-in";
import { createAuthServer } from "#services/auth";
import assert from "node:assert/strict";
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { TlsListener } from "./tls.ts";

export interface Ran {
  readonly code: number;
  readonly out: string;
  readonly err: string;
}

/** A cluster's authority behind its local socket, and a command line that administers it. */
export class AdminCluster implements AsyncDisposable {
  readonly directory: string;
  readonly store: Store;
  readonly authorities: Authorities;
  readonly resources: Resources;
  readonly #program: Program;
  readonly #server: RpcServer;
  readonly #stack: AsyncDisposableStack;

  private constructor(parts: {
    program: Program;
    directory: string;
    store: Store;
    authorities: Authorities;
    server: RpcServer;
    stack: AsyncDisposableStack;
  }) {
    this.#program = parts.program;
    this.directory = parts.directory;
    this.store = parts.store;
    this.authorities = parts.authorities;
    this.resources = new Resources(parts.store);
    this.#server = parts.server;
    this.#stack = parts.stack;
  }

  /** `program` is the administrator's command line: a test's own room. */
  static async open(program: Program): Promise<AdminCluster> {
    const stack = new AsyncDisposableStack();
    const directory = await mkdtemp(join(tmpdir(), "tenon-admin-"));
    stack.defer(async () => await rm(directory, { recursive: true, force: true }));
    const common = { clock: systemClock, random: Math.random, logger: silentLogger };
    const indexes = [...storeIndexes, ...eventIndexes, ...signInIndexes];
    const store = stack.use(openMemoryStore({ ...common, indexes }));
    const authorities = await Authorities.open({
      ...common,
      store,
      clusterName: "example.test",
      firstWrites: builtinRoleWrites(),
    });
    const auth = await createAuthServer({
      ...common,
      store,
      authorities,
      resources: new Resources(store),
      audit: stack.use(new AuditLog({ ...common, store })),
      metrics: new Metrics(),
      config: { version: "1.2.3", proxyPublicAddr: "example.test:3080" },
      backup: async (file) => {
        await writeFile(file, "a backup", { flag: "wx", mode: 0o600 });
        return { bytes: 8 };
      },
    });
    stack.use(auth);
    const server = stack.use(await createRpcServer({ ...common, services: auth.services }));
    await server.listenUnix(join(directory, "admin.sock"));
    return new AdminCluster({ program, directory, store, authorities, server, stack });
  }

  /** Runs a command line, words separated by spaces, against the local socket. */
  async run(
    line: string,
    options: { env?: Record<string, string>; stdin?: string } = {},
  ): Promise<Ran> {
    const env = { TENON_DATA_DIR: this.directory, ...options.env };
    const argv = line.split(" ").filter(Boolean);
    return await runCaptured(this.#program, argv, { ...options, env });
  }

  /** What a command line printed; fails with its complaint when it failed. */
  async out(line: string, options: { stdin?: string } = {}): Promise<string> {
    const { code, out, err } = await this.run(line, options);
    assert.equal(code, 0, err);
    return out;
  }

  /** What a command line printed as JSON. */
  async json<T = Record<string, string>>(line: string): Promise<T> {
    return JSON.parse(await this.out(`${line} --format json`)) as T;
  }

  /** Puts a document into the store, past every rule. */
  async put(document: object): Promise<void> {
    await this.store.commit([writeOf(parseDocument(document), "put")]);
  }

  /** Serves the same on TLS as the proxy does; gives the port. */
  async listenTls(): Promise<number> {
    const keys = generateKeyPair("ecdsa-p256");
    const host = this.authorities.issueHost(
      { hostId: "10000000-0000-4000-8000-000000000000", roles: ["Proxy"] },
      { tlsPublicKey: spkiDer(keys.publicKey), ttlMs: 3_600_000 },
    );
    const tls = {
      cert: x509Pem(host.tlsCertificate),
      key: privateKeyPem(keys.privateKey),
      ca: host.trust.userX509.map((der) => x509Pem(der)),
    };
    const listener = await TlsListener.open(tls, (socket) => this.#server.injectTls(socket));
    this.#stack.use(listener);
    return listener.port;
  }

  /** Writes an identity file as the bot's identity service does; gives its path. */
  async identityFile(user: string, roles: readonly string[], ttlMs = 3_600_000): Promise<string> {
    const { privateKey, publicKey } = generateKeyPair("ecdsa-p256");
    const issued = this.authorities.issueUser(
      { user, roles, traits: {}, logins: [], allowReissue: false },
      { tlsPublicKey: spkiDer(publicKey), sshPublicKey: sshPublicKeyLine(publicKey), ttlMs },
    );
    const file = join(this.directory, `identity-${user}`);
    await writeFile(file, encodeIdentityFile({ ...issued, privateKey }), { mode: 0o600 });
    return file;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#stack.disposeAsync();
  }
}

/** Runs a program in this process, with streams of the test's own. */
export async function runCaptured(
  program: Program,
  argv: readonly string[],
  options: { env?: Record<string, string>; stdin?: string } = {},
): Promise<Ran> {
  const ran = { out: "", err: "" };
  const io: CommandIo = {
    stdout: { write: (text) => (ran.out += text) },
    stderr: { write: (text) => (ran.err += text) },
    stdin: inputOf(options.stdin ?? ""),
    env: { PATH: process.env["PATH"], HOME: tmpdir(), ...options.env },
    width: 100,
    interactive: false,
    signal: new AbortController().signal,
  };
  const code = await runProgram(program, argv, io);
  return { code, ...ran };
}

async function* inputOf(text: string): AsyncGenerator<Uint8Array> {
  yield new TextEncoder().encode(text);
}
