import { Pairs } from "@tenon/ui";
import { useState, type ReactElement } from "react";
import type { Path } from "../draft/tree.ts";
import { At, type FormProps } from "./parts.tsx";
import { entries, words } from "../values.ts";

/** Names with a list of values each, such as traits, or the labels that a role matches. */
export const Lists = ({
  form,
  path,
  legend,
  hint,
  name,
}: {
  form: FormProps;
  path: Path;
  legend: string;
  hint: string;
  name: string;
}): ReactElement => (
  <At form={form} path={path}>
    <Pairs
      legend={legend}
      hint={hint}
      name={name}
      empty={[] as readonly string[]}
      value={entries(form.get(path)).map(([key, value]) => [key, words(value)] as const)}
      onChange={(pairs) => form.set(path, pairs.length > 0 ? Object.fromEntries(pairs) : undefined)}
    >
      {({ label, value, onChange }) => (
        <Values label={`Values of ${label || "the new row"}`} value={value} onChange={onChange} />
      )}
    </Pairs>
  </At>
);

const split = (typed: string): string[] =>
  typed
    .split(",")
    .map((word) => word.trim())
    .filter((word) => word !== "");

/** Several values with commas between them, which count as they are typed; spaces may stand within. */
function Values({
  label,
  value,
  onChange,
}: {
  label: string;
  value: readonly string[];
  onChange: (value: readonly string[]) => void;
}): ReactElement {
  const [typed, setTyped] = useState(value.join(", "));
  const [before, setBefore] = useState(value.join("\n"));
  const now = value.join("\n");
  if (before !== now) {
    setBefore(now);
    if (split(typed).join("\n") !== now) setTyped(value.join(", "));
  }
  return (
    <input
      aria-label={label}
      placeholder="values, with commas between"
      value={typed}
      spellCheck={false}
      autoComplete="off"
      onChange={(event) => {
        setTyped(event.target.value);
        onChange(split(event.target.value));
      }}
    />
  );
}
