import { durationMs } from "#base/config";
import { sha256Hex } from "#base/crypto";
import { trustToProto, type IssuedCredentials, type UserClaims } from "#domain/authority";
import {
  botUserName,
  MAX_RECORDS,
  type Authentication,
  type Bot,
  type BotInstance,
  type ClusterConfig,
  type Token,
} from "#domain/resources";
import type { Attempt } from "./attempt.ts";
import type { JoinDependencies } from "./dependencies.ts";
import type { ResultContent } from "./protocol.ts";

/** What a bot's own certificate says. */
export function botClaims(about: {
  readonly bot: Bot;
  readonly instanceId: string;
  readonly generation: number;
  readonly token: string;
  readonly boundKeyFingerprint?: string;
}): UserClaims {
  const { bot, instanceId, generation, token, boundKeyFingerprint } = about;
  const user = botUserName(bot.metadata.name);
  return {
    user,
    roles: [user],
    traits: Object.fromEntries(bot.spec.traits.map(({ name, values }) => [name, values])),
    logins: [],
    botName: bot.metadata.name,
    botInstanceId: instanceId,
    generation,
    joinToken: token,
    ...(boundKeyFingerprint ? { boundKeyFingerprint } : {}),
    allowReissue: true,
  };
}

/** Lifetime of a bot's own certificate: what was asked for, as far as the cluster allows. */
export function botTtlMs(config: ClusterConfig["spec"], requestedMs: number): number {
  const wanted = requestedMs > 0 ? requestedMs : durationMs(config.default_credential_ttl);
  return Math.min(wanted, durationMs(config.max_bot_identity_ttl));
}

/** Signs what has been committed. */
export function issueToBot(about: {
  readonly authorities: JoinDependencies["authorities"];
  readonly config: ClusterConfig["spec"];
  readonly attempt: Attempt;
  readonly claims: UserClaims;
}): ResultContent["credentials"] {
  const { tlsPublicKey, sshPublicKey, ttlMs: requested } = about.attempt;
  const ttlMs = botTtlMs(about.config, requested);
  return credentialsOf(
    about.authorities.issueUser(about.claims, { tlsPublicKey, sshPublicKey, ttlMs }),
  );
}

export function credentialsOf(issued: IssuedCredentials): ResultContent["credentials"] {
  const { tlsCertificate, sshCertificate, trust } = issued;
  return { tlsCertificate, sshCertificate, trust: trustToProto(trust) };
}

/** One line in the life of a bot instance. */
export function authenticationOf(
  attempt: Attempt,
  about: {
    readonly now: number;
    readonly config: ClusterConfig["spec"];
    readonly method: Token["spec"]["join_method"];
    readonly generation: number;
    readonly recovery: boolean;
    readonly attributes: Authentication["attributes"];
  },
): Authentication {
  const { hostname, os, architecture, version } = attempt.host;
  const facts = Object.entries({ hostname, os, architecture, version });
  return {
    time: new Date(about.now).toISOString(),
    expires: certificateEnd(about.now + botTtlMs(about.config, attempt.ttlMs)),
    join_method: about.method,
    token: attempt.token,
    generation: about.generation,
    key_fingerprint: sha256Hex(attempt.tlsPublicKey),
    remote_addr: attempt.remoteAddr,
    recovery: about.recovery,
    attributes: {
      ...Object.fromEntries(facts.filter(([, value]) => value !== "")),
      ...about.attributes,
    },
  };
}

/** Certificates count in whole seconds. */
const certificateEnd = (ms: number): string =>
  new Date(Math.floor(ms / 1_000) * 1_000).toISOString();

export function newInstance(about: {
  readonly bot: string;
  readonly instanceId: string;
  readonly previous: string;
  readonly first: Authentication;
}): BotInstance {
  const { bot, instanceId, previous, first } = about;
  return {
    kind: "bot_instance",
    version: "v1",
    metadata: { name: `${bot}:${instanceId}`, labels: {} },
    spec: {
      bot_name: bot,
      instance_id: instanceId,
      ...(previous ? { previous_instance_id: previous } : {}),
    },
    status: {
      generation: first.generation,
      initial_authentication: first,
      latest_authentications: [first],
      latest_heartbeats: [],
      service_health: [],
      notices: [],
    },
  };
}

/** The instance after one more authentication. */
export function refreshedInstance(instance: BotInstance, latest: Authentication): BotInstance {
  const { status } = instance;
  const before = status?.latest_authentications ?? [];
  return {
    ...instance,
    status: {
      latest_heartbeats: [],
      service_health: [],
      notices: [],
      ...status,
      generation: latest.generation,
      latest_authentications: [...before, latest].slice(-MAX_RECORDS),
    },
  };
}
