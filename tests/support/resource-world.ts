import { codeOf, CodedError, silentLogger } from "#base/kernel";
import { openMemoryStore, type Store, type Write } from "#base/storage";
import { builtinRoles, builtinRoleWrites, type Caller, type UserIdentity } from "#domain/access";
import { AuditLog, eventIndexes, type AuditEvent } from "#domain/audit";
import {
  parseDocument,
  Resources,
  roleKind,
  storeIndexes,
  writeOf,
  type Role,
} from "#domain/resources";
import { signInIndexes } from "#domain/sign-in";
import { ManualClock } from "#testing/clock";
import type { Handlers } from "#base/rpc";
import { create, type MessageInitShape } from "@bufbuild/protobuf";
import {
  DeleteRequestSchema,
  GetRequestSchema,
  ListRequestSchema,
  WriteRequestSchema,
  type ResourceService,
} from "@tenon/api/tenon/resource/v1/resource";
import assert from "node:assert/strict";

/** What the resource calls are built from, on a store in memory whose commits a test can disturb. */
export class ResourceWorld implements AsyncDisposable {
  readonly clock: ManualClock;
  readonly store: DisturbedStore;
  readonly resources: Resources;
  readonly audit: AuditLog;

  private constructor(clock: ManualClock, store: DisturbedStore) {
    this.clock = clock;
    this.store = store;
    this.resources = new Resources(store);
    const options = { store, clock, logger: silentLogger, random: () => 0.5 };
    this.audit = new AuditLog(options);
  }

  static async open(feedLength?: number): Promise<ResourceWorld> {
    const clock = new ManualClock();
    const indexes = [...storeIndexes, ...eventIndexes, ...signInIndexes];
    const options = { clock, indexes, ...(feedLength ? { feedLength } : {}) };
    const world = new ResourceWorld(clock, new DisturbedStore(openMemoryStore(options)));
    await world.store.commit(builtinRoleWrites());
    return world;
  }

  /** Puts documents past all rules, as the cluster itself does. */
  async put(...documents: readonly object[]): Promise<void> {
    for (let at = 0; at < documents.length; at += 1_000)
      await this.store.commit(
        documents.slice(at, at + 1_000).map((each) => writeOf(parseDocument(each), "put")),
      );
  }

  /** Puts a document in spite of a disturbed store: what another server does. */
  async interfere(document: object): Promise<void> {
    await this.store.inner.commit([writeOf(parseDocument(document), "put")]);
  }

  async events(type?: string): Promise<readonly AuditEvent[]> {
    return (
      await this.audit.search({ ascending: true, pageSize: 1_000, ...(type ? { type } : {}) })
    ).events;
  }

  /** `kind/name` of every document of some kinds. */
  async names(...kinds: readonly string[]): Promise<string[]> {
    const pages = await Promise.all(kinds.map((kind) => this.store.list({ kind, limit: 1_000 })));
    return pages.flatMap(({ items }) => items.map(({ kind, name }) => `${kind}/${name}`));
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.audit[Symbol.asyncDispose]();
    await this.store[Symbol.asyncDispose]();
  }
}

/** A store in which a test does something just before each commit, such as another's write. */
export class DisturbedStore implements Store {
  readonly inner: Store;
  before: ((writes: readonly Write[]) => unknown) | undefined;
  commits = 0;

  constructor(inner: Store) {
    this.inner = inner;
  }

  commit: Store["commit"] = async (writes) => {
    this.commits += 1;
    await this.before?.(writes);
    return await this.inner.commit(writes);
  };
  get: Store["get"] = (kind, name) => this.inner.get(kind, name);
  list: Store["list"] = (query) => this.inner.list(query);
  count: Store["count"] = (query) => this.inner.count(query);
  tally: Store["tally"] = (query) => this.inner.tally(query);
  watch: Store["watch"] = (options) => this.inner.watch(options);
  position: Store["position"] = () => this.inner.position();
  [Symbol.asyncDispose] = (): PromiseLike<void> => this.inner[Symbol.asyncDispose]();
}

export const admin: Caller = { kind: "admin" };

/** A person with roles that are given as documents, or by the names of built-in ones. */
export function person(
  roles: readonly (Role | string)[],
  identity: Partial<UserIdentity> = {},
): Caller {
  const documents = roles.map((each) =>
    typeof each === "string" ? builtinRoles.find(({ metadata }) => metadata.name === each)! : each,
  );
  const names = documents.map(({ metadata }) => metadata.name);
  return {
    kind: "user",
    roles: documents,
    identity: {
      user: "alice",
      roles: names,
      traits: {},
      logins: [],
      allowReissue: false,
      expires: 0,
      ...identity,
    },
  };
}

/** A role with one allow rule. */
export const roleFor = (
  resources: readonly string[],
  verbs: readonly string[],
  more: object = {},
): Role =>
  roleKind.schema.parse({
    kind: "role",
    version: "v1",
    metadata: { name: `${resources.join("-")}-${verbs.join("-")}`.replaceAll("*", "any") },
    spec: { allow: { rules: [{ resources, verbs }], ...more } },
  });

export const callBy = (caller: Caller, signal = new AbortController().signal) => ({
  caller,
  remoteAddr: "192.0.2.7",
  signal,
});

const versions: Readonly<Record<string, string>> = { token: "v2", lock: "v2" };

/** A document with only what it needs. */
export const documentOf = (
  kind: string,
  name: string,
  spec: object = {},
  metadata: object = {},
) => ({
  kind,
  version: versions[kind] ?? "v1",
  metadata: { name, ...metadata },
  spec,
});

type Service = Handlers<typeof ResourceService, ReturnType<typeof callBy>>;

/** The calls of one caller, with requests as short as a test wants them. */
export function clientOf(service: Service, caller: Caller) {
  const call = callBy(caller);
  const asking = (documents: readonly (object | string)[], dryRun = false) =>
    create(WriteRequestSchema, {
      dryRun,
      documents: documents.map((each) => ({
        json: typeof each === "string" ? each : JSON.stringify(each),
      })),
    });
  return {
    get: async (kind: string, name: string) =>
      await service.get(create(GetRequestSchema, { kind, name }), call),
    list: async (kind: string, more: MessageInitShape<typeof ListRequestSchema> = {}) =>
      await service.list(create(ListRequestSchema, { ...more, kind }), call),
    create: async (...documents: (object | string)[]) =>
      answered(await service.create(asking(documents), call)),
    update: async (...documents: (object | string)[]) =>
      answered(await service.update(asking(documents), call)),
    upsert: async (...documents: (object | string)[]) =>
      answered(await service.upsert(asking(documents), call)),
    dryRun: async (...documents: (object | string)[]) =>
      answered(await service.create(asking(documents, true), call)),
    remove: async (kind: string, name: string, revision = "") =>
      (await service.delete(create(DeleteRequestSchema, { kind, name, revision }), call)).deleted ??
      [],
  };
}

export interface Answered {
  readonly documents: readonly {
    readonly kind: string;
    readonly metadata: { name: string; revision?: string; labels: Record<string, string> };
    // Tests look at whatever a kind has here.
    readonly spec: Record<string, unknown>;
    readonly status?: Record<string, unknown>;
  }[];
  readonly notices: readonly string[];
}

/** What a write or a list answered, read. */
export function answered(response: {
  documents?: readonly { json?: string }[];
  notices?: readonly string[];
}): Answered {
  return {
    documents: (response.documents ?? []).map(({ json = "" }) => JSON.parse(json)),
    notices: response.notices ?? [],
  };
}

/** The error of a refused call, whose code and message are as expected. */
export async function refusal(
  promise: Promise<unknown>,
  code: string,
  says: RegExp,
): Promise<CodedError> {
  const error = await promise.then(
    () => assert.fail("it was not refused"),
    (error: unknown) => error,
  );
  assert(error instanceof CodedError, String(error));
  assert.deepEqual(
    [codeOf(error), error.message.match(says) ? says.source : error.message],
    [code, says.source],
  );
  return error;
}
