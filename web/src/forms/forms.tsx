import type { ComponentType } from "react";
import type { FormProps } from "./parts.tsx";
import { RoleForm } from "./role.tsx";
import { SchemaForm } from "./schema.tsx";
import { TokenForm } from "./token.tsx";
import { UserForm } from "./user.tsx";

/** Of the kinds that `hasForm` names. */
const forms: Readonly<Record<string, ComponentType<FormProps>>> = {
  role: RoleForm,
  token: TokenForm,
  user: UserForm,
  ...Object.fromEntries(
    ["cluster_config", "node", "db", "kube_cluster"].map((kind) => [kind, SchemaForm]),
  ),
};

export const formOf = (kind: string): ComponentType<FormProps> | undefined =>
  Object.hasOwn(forms, kind) ? forms[kind] : undefined;
