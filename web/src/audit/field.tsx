import { Field } from "@tenon/ui";
import type { ReactElement } from "react";
import { useTyped } from "../typed.ts";

/** One word of a filter. */
export function FilterField({
  label,
  value,
  onChange,
}: {
  label: string;
  value: string;
  onChange: (value: string) => void;
}): ReactElement {
  const [text, setText] = useTyped(value, onChange);
  return (
    <Field
      label={label}
      type="search"
      placeholder="any"
      value={text}
      onChange={(event) => setText(event.target.value)}
    />
  );
}
