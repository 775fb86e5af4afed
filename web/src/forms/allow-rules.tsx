import { Button, Pairs } from "@tenon/ui";
import { useId, type ReactElement } from "react";
import type { Path } from "../draft/tree.ts";
import { At, type FormProps } from "./parts.tsx";
import { entries, text } from "../values.ts";

/** What the rules of a method may name; of `oidc`, any claim. */
const claims: Readonly<Record<string, readonly string[]>> = {
  github: [
    "repository",
    "repository_id",
    "repository_owner",
    "repository_owner_id",
    "workflow",
    "job_workflow_ref",
    "environment",
    "actor",
    "ref",
    "ref_type",
    "sub",
  ],
  gitlab: [
    "project_path",
    "project_id",
    "namespace_path",
    "namespace_id",
    "ref",
    "ref_type",
    "ref_protected",
    "environment",
    "environment_protected",
    "pipeline_source",
    "user_login",
    "sub",
  ],
  kubernetes: ["service_account"],
  oidc: ["sub"],
};

/** An ID token that fits every claim of one rule may join. */
export const AllowRules = ({
  form,
  method,
  path,
}: {
  form: FormProps;
  method: string;
  path: Path;
}): ReactElement => {
  const names = useId();
  const found = form.get(path);
  const rules: readonly unknown[] = Array.isArray(found) ? found : [];
  const replace = (next: readonly unknown[]): void => form.set(path, next);
  const first = claims[method]?.[0] ?? "sub";
  return (
    <At form={form} path={path}>
      <div className="stack">
        <datalist id={names}>
          {claims[method]?.map((name) => (
            <option key={name} value={name} />
          ))}
        </datalist>
        {rules.map((rule, index) => (
          <Pairs
            // oxlint-disable-next-line react/no-array-index-key -- a rule is known by its place only.
            key={index}
            legend={index === 0 ? "Whoever has all of" : "or all of"}
            name="Claim"
            list={names}
            empty=""
            value={entries(rule)}
            onChange={(pairs) =>
              replace(rules.map((each, at) => (at === index ? Object.fromEntries(pairs) : each)))
            }
            actions={
              <Button
                look="quiet"
                onClick={() => replace(rules.filter((_rule, at) => at !== index))}
              >
                Remove this rule
              </Button>
            }
          >
            {({ label, value, onChange }) => (
              <input
                aria-label={`Value of ${label || "the new claim"}`}
                value={typeof value === "boolean" ? String(value) : text(value)}
                placeholder={typeof value === "object" ? "several: see the YAML" : ""}
                disabled={typeof value === "object"}
                spellCheck={false}
                onChange={(event) => onChange(event.target.value)}
              />
            )}
          </Pairs>
        ))}
        <div>
          <Button onClick={() => replace([...rules, { [first]: "" }])}>Add a rule</Button>
        </div>
      </div>
    </At>
  );
};
