import { Check, Choice, Field, Panel, TextField } from "@tenon/ui";
import type { ReactElement } from "react";
import type { Path } from "../draft/tree.ts";
import { AllowRules } from "./allow-rules.tsx";
import { At, orNothing, type FormProps } from "./parts.tsx";
import { text } from "../values.ts";

interface Setting {
  readonly name: string;
  readonly label: string;
  readonly hint: string;
}

const age: Setting = {
  name: "max_token_age",
  label: "Longest age of an ID token",
  hint: "such as 30m; 1h where nothing is said, at most 24h",
};
const audience: Setting = {
  name: "audience",
  label: "Audience",
  hint: "what the aud claim must be; empty: the cluster's name",
};

const settings: Readonly<Record<string, readonly Setting[]>> = {
  github: [
    {
      name: "enterprise_server_host",
      label: "Enterprise Server",
      hint: "its host name; empty: github.com",
    },
    { name: "enterprise_slug", label: "Enterprise", hint: "if it has an issuer of its own" },
    age,
  ],
  gitlab: [
    { name: "domain", label: "GitLab's host name", hint: "empty: gitlab.com" },
    audience,
    age,
  ],
  kubernetes: [audience, age],
  oidc: [
    { name: "issuer", label: "Issuer", hint: "an https:// address: the iss claim" },
    audience,
    age,
  ],
};

/** Join methods whose proof is an ID token: who issues it, and which claims let somebody in. */
export const Issuers = ({ form, method }: { form: FormProps; method: string }): ReactElement => {
  const at = (...path: string[]): Path => ["spec", method, ...path];
  return (
    <>
      <Panel title="Who may join">
        <AllowRules form={form} method={method} path={at("allow")} />
      </Panel>
      <Panel title={`Settings of ${method}`}>
        <div className="stack">
          {method === "kubernetes" && <Kubernetes form={form} at={at} />}
          {settings[method]?.map(({ name, label, hint }) => (
            <Words key={name} form={form} path={at(name)} label={label} hint={hint} />
          ))}
          {method === "github" && (
            <At form={form} path={at("require_challenge")}>
              <Check
                label="Take only ID tokens that were issued for this very join"
                hint="as tbot asks for them"
                value={form.get(at("require_challenge")) !== false}
                onChange={(value) => form.set(at("require_challenge"), value ? undefined : false)}
              />
            </At>
          )}
        </div>
      </Panel>
    </>
  );
};

const Words = (about: {
  form: FormProps;
  path: Path;
  label: string;
  hint: string;
}): ReactElement => (
  <At form={about.form} path={about.path}>
    <Field
      label={about.label}
      hint={about.hint}
      value={text(about.form.get(about.path))}
      onChange={(event) => about.form.set(about.path, orNothing(event.target.value))}
    />
  </At>
);

const Kubernetes = ({
  form,
  at,
}: {
  form: FormProps;
  at: (...path: string[]) => Path;
}): ReactElement => {
  const type = text(form.get(at("type")));
  const jwks = form.get(at("static_jwks", "jwks"));
  const shown = typeof jwks === "string" ? jwks : jwks ? JSON.stringify(jwks, null, 2) : "";
  return (
    <>
      <At form={form} path={at("type")}>
        <Choice
          label="Where its keys are"
          options={[
            ["static_jwks", "here: the key set stands in this token"],
            ["oidc", "at its public issuer"],
          ]}
          value={type}
          onChange={(value) => form.set(at("type"), value)}
        />
      </At>
      {type === "static_jwks" && (
        <At form={form} path={at("static_jwks", "jwks")}>
          <TextField
            label="Key set"
            hint="what kubectl get --raw /openid/v1/jwks prints"
            rows={5}
            className="mono"
            value={shown}
            onChange={(event) => form.set(at("static_jwks", "jwks"), orNothing(event.target.value))}
          />
        </At>
      )}
      {type === "oidc" && (
        <Words form={form} path={at("oidc", "issuer")} label="Issuer" hint="an https:// address" />
      )}
    </>
  );
};
