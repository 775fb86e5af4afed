import { Choice, Panel, PickMany, PickOne } from "@tenon/ui";
import type { ReactElement } from "react";
import { Envelope } from "./envelope.tsx";
import { BoundKeypair } from "./token-bound.tsx";
import { Issuers } from "./token-issuers.tsx";
import { MomentField } from "./moment.tsx";
import { useNames } from "./names.ts";
import { At, orNothing, type FormProps } from "./parts.tsx";
import { text, words } from "../values.ts";

const methods = [
  ["bound_keypair", "bound_keypair: a machine with a key of its own"],
  ["github", "github: jobs of GitHub Actions"],
  ["gitlab", "gitlab: jobs of GitLab CI"],
  ["kubernetes", "kubernetes: pods, by their service account"],
  ["oidc", "oidc: any other issuer of ID tokens"],
  ["token", "token: its name is the secret, good once"],
] as const;

const roles = ["Bot", "Node", "App", "Db", "Kube", "Proxy"].map((id) => ({ id }));

export const TokenForm = (form: FormProps): ReactElement => {
  const method = text(form.get(["spec", "join_method"]));
  return (
    <div className="stack">
      <Envelope
        form={form}
        nameHint={
          method === "token"
            ? "this is the secret: 16 characters or more that nobody can guess"
            : "letters, digits and . _ @ + -"
        }
      />
      <Panel title="Who joins, and how">
        <div className="stack">
          <Who form={form} />
          <At form={form} path={["spec", "join_method"]}>
            <Choice
              label="Join method"
              hint={form.isNew ? "" : "stays: what joined by it keeps its meaning"}
              options={methods}
              value={method}
              disabled={!form.isNew}
              onChange={(value) => choose(form, value)}
            />
          </At>
          <At form={form} path={["metadata", "expires"]}>
            <MomentField
              label="Ends"
              hint="when the token goes by itself; empty: never"
              value={text(form.get(["metadata", "expires"]))}
              onChange={(value) => form.set(["metadata", "expires"], orNothing(value))}
            />
          </At>
        </div>
      </Panel>
      {method === "bound_keypair" && <BoundKeypair {...form} />}
      {["github", "gitlab", "kubernetes", "oidc"].includes(method) && (
        <Issuers form={form} method={method} />
      )}
    </div>
  );
};

function Who({ form }: { form: FormProps }): ReactElement {
  const bots = useNames("bot");
  const bot = text(form.get(["spec", "bot_name"]));
  const given = words(form.get(["spec", "roles"]));
  const isBot = given.includes("Bot") || (given.length === 0 && bot !== "");
  return (
    <>
      <At form={form} path={["spec", "roles"]}>
        <PickMany
          label="What may join"
          hint="Bot stands alone; the others are agents"
          options={roles}
          value={given}
          onChange={(value) => form.set(["spec", "roles"], orNothing(value))}
        />
      </At>
      {(isBot || bot !== "") && (
        <At form={form} path={["spec", "bot_name"]}>
          <PickOne
            label="Bot"
            hint={form.isNew ? "which one joins" : "stays: make another token for another bot"}
            options={bots}
            value={bot}
            onChange={(value) => form.set(["spec", "bot_name"], orNothing(value))}
          />
        </At>
      )}
    </>
  );
}

/** Settings belong to one method: those of another would be a fault. */
function choose(form: FormProps, method: string): void {
  const spec = form.get(["spec"]);
  const kept = typeof spec === "object" && spec !== null ? Object.entries(spec) : [];
  const others = new Set<string>(methods.map(([name]) => name));
  const rest = kept.filter(([name]) => !others.has(name) && name !== "join_method");
  const allow = fresh[method];
  form.set(["spec"], {
    ...Object.fromEntries(rest),
    join_method: method,
    ...(allow === undefined ? {} : { [method]: allow }),
  });
}

const fresh: Readonly<Record<string, object>> = {
  bound_keypair: { recovery: { limit: 1, mode: "standard" } },
  github: { allow: [{ repository: "" }] },
  gitlab: { allow: [{ project_path: "" }] },
  kubernetes: { allow: [{ service_account: "" }] },
  oidc: { issuer: "", allow: [{ sub: "" }] },
};
