import { textOf } from "../draft/tree.ts";

interface Skeleton {
  readonly version: string;
  readonly spec: object;
}

const skeletons: Readonly<Record<string, Skeleton>> = {
  user: { version: "v1", spec: { roles: [] } },
  role: { version: "v1", spec: { allow: { rules: [] } } },
  bot: { version: "v1", spec: { roles: [] } },
  token: {
    version: "v2",
    spec: {
      roles: ["Bot"],
      bot_name: "",
      join_method: "bound_keypair",
      bound_keypair: { recovery: { limit: 1, mode: "standard" } },
    },
  },
  lock: { version: "v2", spec: { target: { user: "" }, message: "" } },
  node: { version: "v1", spec: { hostname: "", addr: "" } },
  db: { version: "v1", spec: { protocol: "postgres", uri: "" } },
  kube_cluster: { version: "v1", spec: { api_server: "" } },
};

/** What a new document begins as. */
export function skeletonOf(kind: string, bot: string): string {
  const { version, spec } = skeletons[kind] ?? { version: "v1", spec: {} };
  const metadata = { name: kind === "lock" ? crypto.randomUUID() : "" };
  const given = bot !== "" && kind === "token" ? { ...spec, bot_name: bot } : spec;
  return textOf({ kind, version, metadata, spec: given });
}
