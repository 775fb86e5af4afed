import { useEffect, useState } from "react";

/** What is typed counts once the typing pauses. */
const PAUSE_MS = 250;

/** The text as it stands in a field; `onChange` hears of it, without spaces around it, after a pause. */
export function useTyped(
  value: string,
  onChange: (value: string) => void,
): readonly [text: string, setText: (text: string) => void] {
  const [text, setText] = useState(value);
  useEffect(() => setText(value), [value]);
  useEffect(() => {
    const typed = text.trim();
    if (typed === value) return undefined;
    const timer = setTimeout(() => onChange(typed), PAUSE_MS);
    return () => clearTimeout(timer);
  }, [text, value, onChange]);
  return [text, setText];
}
