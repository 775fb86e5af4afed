import { Button, PickMany } from "@tenon/ui";
import { useSuspenseQuery } from "@tanstack/react-query";
import type { ReactElement } from "react";
import { viewer } from "../api/queries.ts";
import type { Path } from "../draft/tree.ts";
import { At, type FormProps } from "./parts.tsx";
import { words } from "../values.ts";

const verbs = ["*", "list", "read", "create", "update", "delete", "use"].map((id) => ({ id }));

/** What may be done with resources: rows of kinds and verbs. */
export const Rules = ({ form, path }: { form: FormProps; path: Path }): ReactElement => {
  const { access } = useSuspenseQuery(viewer).data;
  const resources = ["*", ...Object.keys(access)].map((id) => ({ id }));
  const found = form.get(path);
  const rules: readonly unknown[] = Array.isArray(found) ? found : [];
  const replace = (next: readonly unknown[]): void =>
    form.set(path, next.length > 0 ? next : undefined);
  return (
    <fieldset className="pairs">
      <legend>Rules</legend>
      <small className="soft">what may be done with which kinds of resources</small>
      {rules.map((_, index) => (
        // oxlint-disable-next-line react/no-array-index-key -- a rule is known by its place only.
        <div className="rule" key={index}>
          <Part
            form={form}
            path={[...path, index, "resources"]}
            label="Resources"
            all={resources}
          />
          <Part form={form} path={[...path, index, "verbs"]} label="Verbs" all={verbs} />
          <Button
            look="quiet"
            aria-label={`Remove rule ${index + 1}`}
            onClick={() => replace(rules.filter((_rule, at) => at !== index))}
          >
            ×
          </Button>
        </div>
      ))}
      <div>
        <Button onClick={() => replace([...rules, { resources: [], verbs: [] }])}>
          Add a rule
        </Button>
      </div>
    </fieldset>
  );
};

const Part = ({
  form,
  path,
  label,
  all,
}: {
  form: FormProps;
  path: Path;
  label: string;
  all: readonly { readonly id: string }[];
}): ReactElement => (
  <At form={form} path={path}>
    <PickMany
      label={label}
      options={all}
      value={words(form.get(path))}
      onChange={(value) => form.set(path, value)}
    />
  </At>
);
