import { Check, Field, Panel } from "@tenon/ui";
import type { ReactElement } from "react";
import { Conditions } from "./conditions.tsx";
import { Envelope } from "./envelope.tsx";
import { At, orNothing, type FormProps } from "./parts.tsx";
import { text } from "../values.ts";

export const RoleForm = (form: FormProps): ReactElement => (
  <div className="stack">
    <Envelope form={form} />
    <Conditions form={form} side="allow" title="What it allows" />
    <details className="fold" open={form.get(["spec", "deny"]) !== undefined}>
      <summary>Deny something, whatever other roles allow</summary>
      <Conditions form={form} side="deny" title="What it denies" />
    </details>
    <Options form={form} />
  </div>
);

const Options = ({ form }: { form: FormProps }): ReactElement => (
  <Panel title="How">
    <div className="stack">
      <At form={form} path={["spec", "options", "max_session_ttl"]}>
        <Field
          label="Longest session"
          hint="such as 43200s, 30m or 3h; 12h where nothing is said"
          value={text(form.get(["spec", "options", "max_session_ttl"]))}
          onChange={(event) =>
            form.set(["spec", "options", "max_session_ttl"], orNothing(event.target.value))
          }
        />
      </At>
      <At form={form} path={["spec", "options", "require_mfa_for_admin"]}>
        <Check
          label="Ask for a second factor before administrative actions"
          value={form.get(["spec", "options", "require_mfa_for_admin"]) === true}
          onChange={(value) =>
            form.set(["spec", "options", "require_mfa_for_admin"], value || undefined)
          }
        />
      </At>
    </div>
  </Panel>
);
