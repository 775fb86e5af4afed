import { Field, Notice, PickOne } from "@tenon/ui";
import { useQuery } from "@tanstack/react-query";
import type { ReactElement } from "react";
import { useAllowed } from "../api/access.ts";
import { call, query, site } from "../api/client.ts";
import { allTokens } from "../api/queries.ts";
import type { Document, Instance, Page } from "../api/types.ts";
import { text } from "../values.ts";
import { useNames } from "../forms/names.ts";
import { appName } from "../resource/title.ts";

/** What a lock can name, in words. */
export const lockTargets = [
  ["user", "a user"],
  ["role", "everyone with a role"],
  ["join_token", "whoever joined by a token, or would"],
  ["bot_instance_id", "one instance of a bot"],
  ["server_id", "an agent"],
  ["public_key", "the holder of a key"],
  ["login", "an account on nodes"],
  ["mfa_device", "a device for the second factor"],
] as const;

/** No part of this version shows these when it asks whether somebody is locked. */
const unheeded: ReadonlySet<string> = new Set(["login", "mfa_device"]);

const hints: Readonly<Record<string, string>> = {
  user: "names that nobody has yet are taken too",
  role: "names that nobody has yet are taken too",
  join_token: "its name",
  bot_instance_id: "the UUID of the instance",
  server_id: "the host UUID of the agent",
  public_key: "an OpenSSH public key, or its SHA256:… fingerprint",
  login: "such as root",
  mfa_device: "its name",
};

interface TargetProps {
  readonly target: string;
  readonly value: string;
  readonly onChange: (value: string) => void;
}

/** Which one: picked from what there is, where the viewer may see it, or typed. */
export function LockTarget({ target, value, onChange }: TargetProps): ReactElement {
  const options = useOptions(target);
  const about = { label: "Which one", hint: hints[target] ?? "", value };
  return (
    <>
      {options === undefined ? (
        <Field {...about} onChange={(event) => onChange(event.target.value)} required />
      ) : (
        <PickOne key={target} {...about} options={options} onChange={onChange} />
      )}
      {unheeded.has(target) && (
        <Notice tone="warn">Nothing in this version heeds locks of this kind.</Notice>
      )}
    </>
  );
}

interface Known {
  readonly id: string;
  readonly about?: string | undefined;
}

function useOptions(target: string): readonly Known[] | undefined {
  const all: Readonly<Record<string, readonly Known[]>> = {
    user: useNames(target === "user" ? "user" : ""),
    role: useNames(target === "role" ? "role" : ""),
    join_token: useTokens(target === "join_token"),
    bot_instance_id: useInstances(target === "bot_instance_id"),
    server_id: useAgents(target === "server_id"),
  };
  return all[target];
}

/** Tokens whose name is their secret are left out: their lock would tell it. */
function useTokens(wanted: boolean): readonly Known[] {
  const enabled = useAllowed("token", "list") && wanted;
  const { data } = useQuery({ ...allTokens(""), enabled });
  return (data?.items ?? [])
    .filter(({ id, name }) => id === name)
    .map(({ name, bot_name, roles }) => ({ id: name, about: bot_name || roles.join(", ") }));
}

/** Those that were heard of last. */
function useInstances(wanted: boolean): readonly Known[] {
  const enabled = useAllowed("bot_instance", "list") && wanted;
  const { data } = useQuery({
    queryKey: ["bot_instance", "for a lock"],
    enabled,
    queryFn: () =>
      call<Page<Instance>>(
        "GET",
        `${site}/machine-id/bot-instance${query({ sort: "last_active_at", order: "desc", limit: 200 })}`,
      ),
  });
  return (data?.items ?? []).map(({ instance_id, bot_name, hostname }) => ({
    id: instance_id,
    about: [bot_name, hostname].filter(Boolean).join(" on "),
  }));
}

/** Agents are known by what they serve. */
function useAgents(wanted: boolean): readonly Known[] {
  const enabled = useAllowed("app", "list") && wanted;
  const { data } = useQuery({
    queryKey: ["app", "for a lock"],
    enabled,
    queryFn: () => call<Page<Document>>("GET", `${site}/resources/app${query({ limit: 500 })}`),
  });
  const served = Map.groupBy(data?.items ?? [], ({ spec }) => text(spec["host_id"]));
  return [...served].map(([id, apps]) => ({
    id,
    about: `serves ${apps.map((app) => appName(app)).join(", ")}`,
  }));
}
