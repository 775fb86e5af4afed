import { Panel, PickMany } from "@tenon/ui";
import type { ReactElement } from "react";
import { Envelope } from "./envelope.tsx";
import { useNames } from "./names.ts";
import { At, orNothing, type FormProps } from "./parts.tsx";
import { words } from "../values.ts";
import { Lists } from "./lists.tsx";

export const UserForm = (form: FormProps): ReactElement => {
  const roles = useNames("role", (name) => !name.startsWith("bot-"));
  return (
    <div className="stack">
      <Envelope form={form} nameHint="what the person types to sign in" />
      <Panel title="What the user may do">
        <div className="stack">
          <At form={form} path={["spec", "roles"]}>
            <PickMany
              label="Roles"
              hint="each adds what it allows; what any denies is denied"
              options={roles}
              value={words(form.get(["spec", "roles"]))}
              onChange={(value) => form.set(["spec", "roles"], orNothing(value))}
            />
          </At>
          <Lists
            form={form}
            path={["spec", "traits"]}
            legend="Traits"
            hint="what templates in roles read: logins fills {{internal.logins}}"
            name="Trait"
          />
        </div>
      </Panel>
    </div>
  );
};
