import { Field, Pairs, Panel } from "@tenon/ui";
import type { ReactElement } from "react";
import { At, orNothing, type FormProps } from "./parts.tsx";
import { entries, text } from "../values.ts";

/** What documents of every kind begin with. */
export const Envelope = ({
  form,
  nameHint = "letters, digits and . _ @ + -",
  labels = true,
}: {
  form: FormProps;
  nameHint?: string;
  labels?: boolean;
}): ReactElement => {
  const { get, set, isNew } = form;
  return (
    <Panel title="What it is">
      <div className="stack">
        <At form={form} path={["metadata", "name"]}>
          <Field
            label="Name"
            hint={isNew ? nameHint : "cannot be changed: make another, and delete this one"}
            value={text(get(["metadata", "name"]))}
            disabled={!isNew}
            onChange={(event) => set(["metadata", "name"], event.target.value)}
          />
        </At>
        <At form={form} path={["metadata", "description"]}>
          <Field
            label="Description"
            hint="for people"
            value={text(get(["metadata", "description"]))}
            onChange={(event) => set(["metadata", "description"], orNothing(event.target.value))}
          />
        </At>
        {labels && <Labels form={form} />}
      </div>
    </Panel>
  );
};

const Labels = ({ form }: { form: FormProps }): ReactElement => {
  const path = ["metadata", "labels"];
  return (
    <At form={form} path={path}>
      <Pairs
        legend="Labels"
        hint="what roles and filters match it by"
        name="Label"
        empty=""
        value={entries(form.get(path)).map(([name, value]) => [name, text(value)] as const)}
        onChange={(pairs) =>
          form.set(path, pairs.length > 0 ? Object.fromEntries(pairs) : undefined)
        }
      >
        {({ label, value, onChange }) => (
          <input
            aria-label={`Value of ${label || "the new label"}`}
            value={value}
            spellCheck={false}
            onChange={(event) => onChange(event.target.value)}
          />
        )}
      </Pairs>
    </At>
  );
};
