import type { Handlers } from "#base/rpc";
import { trustToProto } from "#domain/authority";
import { PageTokens } from "#domain/resources";
import type { AuthService } from "@tenon/api/tenon/auth/v1/auth";
import { listAlerts } from "./alerts-service.ts";
import { announceApps } from "./apps-service.ts";
import { getBotAccess } from "./bot-access.ts";
import { getBotActivity } from "./bot-activity.ts";
import { listBotInstances } from "./bot-instances.ts";
import { listBotSessions } from "./bot-sessions.ts";
import { backUpStore, setResyncWindow } from "./backup-service.ts";
import { submitHeartbeat } from "./heartbeat-service.ts";
import { exportEvents, searchEvents, watchEvents } from "./events-service.ts";
import { inviteUser } from "./invite-service.ts";
import { issueCertificates } from "./issue-service.ts";
import { listOpen } from "./list-open.ts";
import { watchLocks } from "./locks-service.ts";
import type { AuthCall, AuthParts } from "./parts.ts";
import { resetBoundKeypair } from "./reset-service.ts";
import { rotateAuthority } from "./rotation-service.ts";
import { exportAuthority, getStatus } from "./status-service.ts";
import { TrustWatch } from "./trust-service.ts";

/** The verbs of the authority, each in its own file. */
export function createAuthService(parts: AuthParts): Handlers<typeof AuthService, AuthCall> {
  const startedAt = parts.clock.now();
  const { config, authorities } = parts;
  const trust = new TrustWatch(authorities);
  const tokens = new PageTokens(parts.store);
  return {
    ping: () => ({ clusterName: authorities.clusterName, ...config }),
    getTrust: () => trustToProto(authorities.trust()),
    issueCertificates: (request, call) => issueCertificates(parts, request, call),
    listOpen: (request, call) => listOpen({ ...parts, tokens }, request, call),
    submitHeartbeat: (request, call) => submitHeartbeat(parts, request, call),
    announceApps: (request, call) => announceApps(parts, request, call),
    watchLocks: (_request, call) => watchLocks(parts, call),
    watchTrust: (_request, call) => trust.watch(call),
    exportAuthority: (request, call) => exportAuthority(parts, request, call),
    searchEvents: (request) => searchEvents(parts, request),
    watchEvents: (request, call) => watchEvents(parts, request, call),
    exportEvents: (request, call) => exportEvents(parts, request, call),
    listBotInstances: (request) => listBotInstances({ ...parts, tokens }, request),
    getBotActivity: (request) => getBotActivity(parts, request),
    listBotSessions: (request) => listBotSessions({ ...parts, tokens }, request),
    getBotAccess: (request, call) => getBotAccess(parts, request, call),
    getStatus: () => getStatus({ ...parts, trust }, startedAt),
    rotateAuthority: (request, call) => rotateAuthority({ ...parts, trust }, request, call),
    resetBoundKeypair: (request, call) => resetBoundKeypair(parts, request, call),
    inviteUser: (request, call) => inviteUser(parts, request, call),
    listAlerts: () => listAlerts(parts),
    setResyncWindow: (request, call) => setResyncWindow(parts, request, call),
    backup: (request, call) => backUpStore(parts, request, call),
  };
}
