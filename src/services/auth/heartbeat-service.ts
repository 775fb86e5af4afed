import { badParameter, codeOf, notFound, accessDenied } from "#base/kernel";
import {
  botInstanceName,
  MAX_RECORDS,
  writeOf,
  type BotInstance,
  type Heartbeat,
  type ServiceHealth,
} from "#domain/resources";
import type {
  ServiceHealth as ReportedHealth,
  SubmitHeartbeatRequest,
} from "@tenon/api/tenon/auth/v1/auth";
import type { AuthCall, AuthParts } from "./parts.ts";

/** With eleven of them, the instance stays far below what the store takes. */
const MAX_CONFIGURATION_BYTES = 32 * 1024;
const MAX_TEXT = 256;
const MAX_REASON = 1_024;
/** Services of one bot process. */
const MAX_SERVICES = 100;
/** A heartbeat may meet a join or another heartbeat of the same instance. */
const ATTEMPTS = 5;

type Request = Omit<SubmitHeartbeatRequest, "$typeName">;

/** Writes what a bot says of itself into its own instance: the first, and the last `MAX_RECORDS`. */
export async function submitHeartbeat(
  { store, resources, clock }: Pick<AuthParts, "store" | "resources" | "clock">,
  request: Request,
  { caller }: Pick<AuthCall, "caller">,
): Promise<Record<string, never>> {
  const identity = caller.kind === "user" ? caller.identity : undefined;
  const { botName, botInstanceId } = identity ?? {};
  if (!botName || !botInstanceId) throw accessDenied("only a bot instance has heartbeats");
  const beat = heartbeatOf(request, new Date(clock.now()).toISOString());
  const health = request.services.map(healthOf);
  const name = botInstanceName(botName, botInstanceId);
  for (let attempt = 1; ; attempt += 1) {
    const instance = await resources.get("bot_instance", name);
    if (!instance) throw notFound(`bot instance "${botInstanceId}" was deleted; join again`);
    try {
      await store.commit([writeOf(withBeat(instance, beat, health), "update")]);
      return {};
    } catch (error) {
      if (codeOf(error) !== "compare_failed" || attempt === ATTEMPTS) throw error;
    }
  }
}

function withBeat(
  instance: BotInstance,
  beat: Heartbeat,
  health: readonly ServiceHealth[],
): BotInstance {
  const { status } = instance;
  if (!status) throw notFound("the bot instance has never joined; join again");
  return {
    ...instance,
    status: {
      ...status,
      initial_heartbeat: status.initial_heartbeat ?? beat,
      latest_heartbeats: [...status.latest_heartbeats, beat].slice(-MAX_RECORDS),
      service_health: [...health],
    },
  };
}

function heartbeatOf(request: Request, time: string): Heartbeat {
  const { version, hostname, os, architecture, kind, configuration } = request;
  for (const [name, text] of Object.entries({ version, hostname, os, architecture, kind }))
    checkText(name, text, MAX_TEXT);
  if (Buffer.byteLength(configuration) > MAX_CONFIGURATION_BYTES)
    throw badParameter(`configuration is over ${MAX_CONFIGURATION_BYTES} bytes; leave it empty`);
  if (request.services.length > MAX_SERVICES)
    throw badParameter(`a heartbeat tells of at most ${MAX_SERVICES} services`);
  return {
    time,
    version,
    hostname,
    os,
    architecture,
    uptime_seconds: safeNumber("uptime_seconds", request.uptimeSeconds),
    one_shot: request.oneShot,
    kind,
    configuration,
  };
}

function healthOf({ name, type, status, reason, updatedAt }: ReportedHealth): ServiceHealth {
  for (const [field, text] of Object.entries({ name, type, status }))
    checkText(`services.${field}`, text, MAX_TEXT);
  checkText("services.reason", reason, MAX_REASON);
  const updated = new Date(safeNumber("services.updated_at", updatedAt));
  if (Number.isNaN(updated.getTime())) throw badParameter("services.updated_at is not a time");
  return {
    name,
    type,
    status,
    ...(reason === "" ? {} : { reason }),
    updated_at: updated.toISOString(),
  };
}

function checkText(name: string, text: string, max: number): void {
  if (text.length > max) throw badParameter(`${name} is longer than ${max} characters`);
}

function safeNumber(name: string, value: bigint): number {
  if (value > BigInt(Number.MAX_SAFE_INTEGER)) throw badParameter(`${name} is too large`);
  return Number(value);
}
