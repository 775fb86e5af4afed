import { Check, Choice, Field, Loading, Panel, PickMany } from "@tenon/ui";
import { queryOptions, useQuery } from "@tanstack/react-query";
import type { ReactElement } from "react";
import { call, named, site } from "../api/client.ts";
import { fieldOf } from "../kinds.ts";
import { Envelope } from "./envelope.tsx";
import { At, orNothing, type FormProps } from "./parts.tsx";
import { text, words } from "../values.ts";

interface Schema {
  readonly type?: string;
  readonly enum?: readonly string[];
  readonly const?: string;
  readonly description?: string;
  readonly default?: unknown;
  readonly items?: Schema;
  readonly properties?: Readonly<Record<string, Schema>>;
}

const schemaOf = (kind: string) =>
  queryOptions({
    queryKey: ["schema", kind],
    queryFn: () => call<Schema>("GET", `${site}/schemas/${named(kind)}`),
    staleTime: Infinity,
  });

/** A form of a kind whose fields are plain values: made from its JSON Schema. */
export function SchemaForm(form: FormProps): ReactElement {
  const kind = text(form.get(["kind"]));
  const { data } = useQuery(schemaOf(kind));
  if (!data) return <Loading />;
  const fields = Object.entries(data.properties?.["spec"]?.properties ?? {});
  const single = data.properties?.["metadata"]?.properties?.["name"]?.const !== undefined;
  return (
    <div className="stack">
      {!single && <Envelope form={form} />}
      <Panel title="Settings">
        <div className="stack">
          {fields.map(([name, schema]) => (
            <At key={name} form={form} path={["spec", name]}>
              <Plain form={form} name={name} schema={schema} />
            </At>
          ))}
        </div>
      </Panel>
    </div>
  );
}

function Plain(about: { form: FormProps; name: string; schema: Schema }): ReactElement {
  const { form, name, schema } = about;
  const path = ["spec", name];
  const value = form.get(path);
  const label = fieldOf(name);
  const hint = hintOf(schema);
  if (schema.enum)
    return (
      <Choice
        label={label}
        hint={hint}
        options={schema.enum.map((each) => [each, each] as const)}
        value={text(value)}
        onChange={(next) => form.set(path, orNothing(next))}
      />
    );
  if (schema.type === "array")
    return (
      <PickMany
        label={label}
        hint={schema.description ?? ""}
        options={(schema.items?.enum ?? []).map((id) => ({ id }))}
        value={words(value)}
        onChange={(next) => form.set(path, orNothing(next))}
      />
    );
  if (schema.type === "boolean")
    return (
      <Check
        label={label}
        hint={hint}
        value={(value ?? schema.default) === true}
        onChange={(next) => form.set(path, next)}
      />
    );
  const number = schema.type === "integer" || schema.type === "number";
  return (
    <Field
      label={label}
      hint={hint}
      type={number ? "number" : "text"}
      placeholder={text(schema.default)}
      value={text(value)}
      onChange={(event) => {
        const typed = event.target.value;
        form.set(path, number && typed !== "" ? Number(typed) : orNothing(typed));
      }}
    />
  );
}

const hintOf = ({ description = "", default: fallback }: Schema): string =>
  fallback === undefined ? description : `${description}; ${text(fallback)} where nothing is said`;
