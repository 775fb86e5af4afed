import type { LocalOrigin } from "#base/rpc";
import {
  ResourceService,
  type Document,
  type ListRequestSchema,
} from "@tenon/api/tenon/resource/v1/resource";
import type { MessageInitShape } from "@bufbuild/protobuf";
import type { AnyResource, KindName, ResourceOf } from "#domain/resources";
import type { Context } from "hono";
import type { WebEnv, WebParts } from "./parts.ts";
import { originOf } from "./session.ts";

const methods = ResourceService.method;

/** The calls of one signed-in person: the authority decides as for every other caller. */
export class PersonCalls {
  readonly #parts: Pick<WebParts, "calls">;
  readonly origin: LocalOrigin;

  constructor(parts: Pick<WebParts, "calls">, context: Context<WebEnv>) {
    this.#parts = parts;
    this.origin = {
      peerCertificate: context.get("certificate"),
      remoteAddr: originOf(context).remoteAddr,
      signal: context.req.raw.signal,
    };
  }

  async get<K extends KindName>(kind: K, name: string): Promise<ResourceOf<K>> {
    return read<K>(await this.#parts.calls.call(methods.get, { kind, name }, this.origin));
  }

  async list<K extends KindName>(
    kind: K,
    options: Omit<MessageInitShape<typeof ListRequestSchema>, "kind" | "$typeName"> = {},
  ): Promise<{ items: ResourceOf<K>[]; next: string }> {
    const reply = await this.#parts.calls.call(methods.list, { kind, ...options }, this.origin);
    return {
      items: reply.documents.map((document) => read<K>(document)),
      next: reply.nextPageToken,
    };
  }

  async tally(kind: KindName, fields: readonly string[]): Promise<Tallies> {
    const request = { kind, fields: [...fields] };
    const reply = await this.#parts.calls.call(methods.tally, request, this.origin);
    const values = reply.fields.map((each) => [
      each.field,
      each.values.map(({ value, count }) => ({ value, count: Number(count) })),
    ]);
    return { total: Number(reply.total), fields: Object.fromEntries(values) };
  }

  /**
   * What a caller gets that asks for no page: every document that matches, but not more than `most`;
   * `next` then goes on.
   */
  async all<K extends KindName>(
    kind: K,
    options: Parameters<PersonCalls["list"]>[1] & { readonly most: number },
  ): Promise<{ items: ResourceOf<K>[]; next: string }> {
    const { most, pageToken: start = "", ...query } = options;
    const items: ResourceOf<K>[] = [];
    let next = start;
    do {
      const pageSize = Math.min(PAGE, most - items.length);
      const page = await this.list(kind, { ...query, pageSize, pageToken: next });
      items.push(...page.items);
      next = page.next;
    } while (next !== "" && items.length < most);
    return { items, next };
  }

  /** Every document of it, or none; the first of the answer is that of the first. */
  async write(
    mode: "create" | "update",
    first: object,
    ...others: readonly object[]
  ): Promise<Written> {
    const documents = [first, ...others].map((each) => ({ json: JSON.stringify(each) }));
    const reply = await this.#parts.calls.call(methods[mode], { documents }, this.origin);
    const [document, ...rest] = reply.documents.map((each) => read(each));
    return { document: document!, others: rest, notices: reply.notices };
  }

  /** Parses, checks and authorizes as a write does, and writes nothing; what it would tell beside. */
  async dryRun(mode: "create" | "update", document: object): Promise<readonly string[]> {
    const request = { documents: [{ json: JSON.stringify(document) }], dryRun: true };
    return (await this.#parts.calls.call(methods[mode], request, this.origin)).notices;
  }

  async remove(kind: KindName, name: string, revision = ""): Promise<readonly string[]> {
    const request = { kind, name, revision };
    return (await this.#parts.calls.call(methods.delete, request, this.origin)).deleted;
  }
}

interface Tallies {
  readonly total: number;
  readonly fields: Readonly<Record<string, { value: string; count: number }[]>>;
}

interface Written {
  readonly document: AnyResource;
  readonly others: readonly AnyResource[];
  readonly notices: readonly string[];
}

const PAGE = 500;

/** A document as JSON has it. */
export const plain = (resource: AnyResource): Plain => resource as unknown as Plain;
type Plain = Record<string, string | number | boolean | null | object>;

const read = <K extends KindName>({ json }: Pick<Document, "json">): ResourceOf<K> =>
  JSON.parse(json) as ResourceOf<K>;
