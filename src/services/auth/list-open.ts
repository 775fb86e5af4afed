import { accessDenied, badParameter } from "#base/kernel";
import { MAX_PAGE } from "#base/storage";
import { describeCaller, openableKinds, type Holder, type OpenableKind } from "#domain/access";
import { DEFAULT_PAGE, MAX_EXAMINED, type PageTokens } from "#domain/resources";
import type { ListOpenRequest, ListOpenResponseSchema } from "@tenon/api/tenon/auth/v1/auth";
import type { MessageInitShape } from "@bufbuild/protobuf";
import * as z from "zod";
import { holderFor } from "./holder.ts";
import { checkNarrow } from "./issue-route.ts";
import { oneOf } from "./one-of.ts";
import { openables, opens, type Openable } from "./openable.ts";
import type { AuthCall, AuthParts } from "./parts.ts";

type Request = Omit<ListOpenRequest, "$typeName">;
type Response = MessageInitShape<typeof ListOpenResponseSchema>;
type Parts = AuthParts & { readonly tokens: PageTokens };

/** The name behind which the next page begins. */
const cursorSchema = z.string();

/** What the caller could ask a certificate for: by its roles, as they decide everywhere else. */
export async function listOpen(
  parts: Parts,
  request: Request,
  { caller }: Pick<AuthCall, "caller">,
): Promise<Response> {
  const kind = oneOf("kind", request.kind, openableKinds);
  if (caller.kind !== "user")
    throw accessDenied(`${describeCaller(caller)} has no roles that open anything`);
  checkNarrow(caller.identity, {});
  const holder = await holderFor(caller, request.roles, parts.resources);
  return await pageOf(parts, request, { kind, holder });
}

async function pageOf(
  parts: Parts,
  request: Request,
  { kind, holder }: { kind: OpenableKind; holder: Holder },
): Promise<Response> {
  const size = sizeOf(request.pageSize);
  const { tokens, resources } = parts;
  const binding = ["open", kind, sortedEntries(request.labels)];
  const { pageToken } = request;
  let past =
    pageToken === "" ? undefined : cursorSchema.parse(await tokens.open(pageToken, binding));
  const found: Openable[] = [];
  let examined = 0;
  for await (const openable of openables(resources, kind, behind(past))) {
    if (found.length === size || examined === MAX_EXAMINED)
      return { ...pageWith(found, parts), nextPageToken: await tokens.seal(past!, binding) };
    examined++;
    past = openable.name;
    if (hasLabels(openable, request.labels) && opens(holder, openable)) found.push(openable);
  }
  return pageWith(found, parts);
}

const behind = (past: string | undefined): { from?: string } =>
  past === undefined ? {} : { from: `${past}\0` };

const pageWith = (found: readonly Openable[], parts: Parts): Response => ({
  resources: found.map((openable) => described(openable, parts)),
});

const sortedEntries = (labels: Request["labels"]): [string, string][] =>
  Object.entries(labels).sort(([a], [b]) => (a < b ? -1 : 1));

function sizeOf(asked: number): number {
  if (asked <= MAX_PAGE) return asked || DEFAULT_PAGE;
  throw badParameter(`page size "${asked}" is not allowed; ask for 1 to ${MAX_PAGE}`);
}

function hasLabels({ documents: [first] }: Openable, wanted: Request["labels"]): boolean {
  const { labels } = first.metadata;
  return Object.entries(wanted).every(
    ([name, value]) => Object.hasOwn(labels, name) && (value === "*" || labels[name] === value),
  );
}

/** What is inside the cluster's network stays there: an application's own address, its agents. */
function described({ name, documents: [first] }: Openable, { authorities, config }: Parts) {
  const { labels, description = "" } = first.metadata;
  const common = { name, labels, description };
  if (first.kind === "node") {
    const { addr, hostname } = first.spec;
    return { ...common, address: addr, hostname };
  }
  if (first.kind !== "app") return common;
  const host = first.spec.public_addr ?? `${name}.${authorities.clusterName}`;
  const port = /:\d+$/.exec(config.proxyPublicAddr)?.[0] ?? "";
  return { ...common, address: `${host}${port}` };
}
