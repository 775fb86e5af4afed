import { create } from "@bufbuild/protobuf";
import { durationMs, timestampFromMs } from "@bufbuild/protobuf/wkt";
import type { HandlerContext, ServiceImpl } from "@connectrpc/connect";
import {
  SpawnServiceResponseSchema,
  type BotApiService,
  type SpawnServiceRequest,
} from "@tenon/api/tenon/tbot/v1/bot_api";
import { badParameter, compareFailed, timedOut, type CodedError } from "#base/kernel";
import { withDetail } from "#base/local";
import type { ControlledStatus, SpawnResult } from "../control.ts";
import { callerOf } from "../local-caller.ts";
import { canonicalType } from "../names.ts";
import { queryOpen } from "./query.ts";
import { recorded } from "./record.ts";
import type { BotApi } from "./serve.ts";
import { watchLogs, watchServices } from "./watch.ts";

/** The calls of `BotApiService`, each a shell around what the bot itself can do. */
export function botApiHandlers(api: BotApi): ServiceImpl<typeof BotApiService> {
  const { control, log } = api.dependencies;
  const handlers: ServiceImpl<typeof BotApiService> = {
    spawnService: (request, context) => spawn(api, request, context),
    stopService: ({ name }, context) => stop(api, name, context),
    getConfig: () => ({ configuration: control.configuration() }),
    getServiceStatus: ({ name }) => ({
      services: (name === "" ? control.statuses() : [control.status(name)]).map(statusProto),
    }),
    watchServices: (_request, { signal }) => watchServices(control, signal),
    watchLogs: (request, { signal }) => watchLogs(api.dependencies.logs, request, signal),
    query: (request, { signal }) => queryOpen(api, request, signal),
  };
  return recorded(handlers, log);
}

async function spawn(api: BotApi, request: SpawnServiceRequest, context: HandlerContext) {
  const { configuration, dependencies } = api;
  const { name, allowed_types: types, allowed_roles: roles } = configuration;
  const by = callerOf(context);
  const result = await dependencies.control
    .spawn(request.configuration, {
      skipWait: request.skipWait,
      ...(request.timeout === undefined ? {} : { timeoutMs: timeoutOf(request.timeout) }),
      // Keys of one socket are not those of another, whose caps differ.
      ...(request.idempotencyKey === ""
        ? {}
        : { idempotencyKey: `${name}/${request.idempotencyKey}` }),
      caps: { roles, types: types.map((type) => canonicalType(type) ?? type) },
      signal: context.signal,
      by,
    })
    .catch((error: unknown) => {
      dependencies.log.warn("refused to spawn services", { error, ...by });
      throw error;
    });
  return responseOf(result);
}

/** Its own end would wait for this call, so it comes after the answer. */
async function stop(
  { configuration, dependencies }: BotApi,
  name: string,
  context: HandlerContext,
) {
  const { control, log } = dependencies;
  const stopping = control.stop(name, callerOf(context));
  if (name !== configuration.name) await stopping;
  else stopping.catch((error: unknown) => log.warn("cannot stop", { error }));
  return {};
}

function responseOf({ outcome, services }: SpawnResult) {
  const message = create(SpawnServiceResponseSchema, { services: services.map(statusProto) });
  if (outcome === "accepted" || outcome === "ready") return message;
  throw withDetail(errorOf(outcome, services), SpawnServiceResponseSchema, message);
}

function errorOf(
  outcome: "failed" | "timed_out",
  services: readonly ControlledStatus[],
): CodedError {
  const bad = services.filter(({ state }) => state !== "healthy" && state !== "exited");
  const lines = bad.map(({ name, state, reason = state }) => `  ${name}: ${reason}`);
  const made = outcome === "failed" ? compareFailed : timedOut;
  const what = outcome === "failed" ? "did not start well" : "did not report in time";
  return made([`${bad.length} of ${services.length} services ${what}`, ...lines].join("\n"));
}

export const statusProto = ({
  name,
  type,
  state,
  reason,
  updatedAt,
  spawned,
}: ControlledStatus) => ({
  name,
  type,
  status: state,
  reason: reason ?? "",
  updatedAt: timestampFromMs(updatedAt),
  spawned,
});

function timeoutOf(timeout: NonNullable<SpawnServiceRequest["timeout"]>): number {
  const ms = durationMs(timeout);
  if (ms > 0) return ms;
  throw badParameter(`the timeout of ${ms} ms is none; give more than nothing, or leave it out`);
}
