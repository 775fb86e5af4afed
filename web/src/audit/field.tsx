import { Field } from "@tenon/ui";
import { useEffect, useState, type ReactElement } from "react";

/** What is typed counts once the typing pauses. */
const PAUSE_MS = 300;

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
  const [text, setText] = useState(value);
  useEffect(() => setText(value), [value]);
  useEffect(() => {
    if (text.trim() === value) return undefined;
    const timer = setTimeout(() => onChange(text.trim()), PAUSE_MS);
    return () => clearTimeout(timer);
  }, [text, value, onChange]);
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
