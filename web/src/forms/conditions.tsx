import { Panel, PickMany } from "@tenon/ui";
import type { ReactElement } from "react";
import type { Path } from "../draft/tree.ts";
import { Lists } from "./lists.tsx";
import { useNames } from "./names.ts";
import { At, orNothing, type FormProps } from "./parts.tsx";
import { words } from "../values.ts";
import { Rules } from "./rules.tsx";

const matchers = [
  ["node_labels", "Nodes", "label and accepted values; * with * is every node"],
  ["app_labels", "Applications", "label and accepted values; * with * is every application"],
  ["db_labels", "Databases", "label and accepted values; * with * is every database"],
  ["kubernetes_labels", "Kubernetes clusters", "label and accepted values; * with * is every one"],
] as const;

/** One side of a role: what it allows, or what it denies. */
export const Conditions = ({
  form,
  side,
  title,
}: {
  form: FormProps;
  side: "allow" | "deny";
  title: string;
}): ReactElement => {
  const at = (...path: string[]): Path => ["spec", side, ...path];
  return (
    <Panel title={title}>
      <div className="stack">
        <Rules form={form} path={at("rules")} />
        <Words
          form={form}
          path={at("logins")}
          label="Accounts on nodes"
          hint="names, or {{internal.logins}} for those of the user"
        />
        <div className="columns">
          {matchers.map(([field, legend, hint]) => (
            <Lists
              key={field}
              form={form}
              path={at(field)}
              legend={legend}
              hint={hint}
              name={`Label of ${legend.toLowerCase()}`}
            />
          ))}
        </div>
        <div className="columns">
          <Words form={form} path={at("db_names")} label="Names of databases on a server" />
          <Words form={form} path={at("db_users")} label="Accounts in databases" />
          <Words form={form} path={at("kubernetes_groups")} label="Groups in Kubernetes clusters" />
          <Words
            form={form}
            path={at("impersonate", "roles")}
            label="Roles that certificates may be asked for"
            kind="role"
          />
          <Words
            form={form}
            path={at("impersonate", "users")}
            label="Users that may be acted as"
            kind="user"
          />
        </div>
      </div>
    </Panel>
  );
};

/** A list of words; of a kind, its names are offered. */
function Words({
  form,
  path,
  label,
  hint,
  kind,
}: {
  form: FormProps;
  path: Path;
  label: string;
  hint?: string;
  kind?: string;
}): ReactElement {
  return (
    <At form={form} path={path}>
      {kind === undefined ? (
        <PickMany
          label={label}
          {...(hint === undefined ? {} : { hint })}
          options={[]}
          value={words(form.get(path))}
          onChange={(value) => form.set(path, orNothing(value))}
        />
      ) : (
        <Names form={form} path={path} label={label} kind={kind} />
      )}
    </At>
  );
}

const Names = (about: {
  form: FormProps;
  path: Path;
  label: string;
  kind: string;
}): ReactElement => (
  <PickMany
    label={about.label}
    options={useNames(about.kind)}
    value={words(about.form.get(about.path))}
    onChange={(value) => about.form.set(about.path, orNothing(value))}
  />
);
