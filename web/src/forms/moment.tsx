import { Button, Field } from "@tenon/ui";
import type { ReactElement } from "react";

const DAY_MS = 86_400_000;
const presets = [
  ["in an hour", DAY_MS / 24],
  ["in a day", DAY_MS],
  ["in 30 days", 30 * DAY_MS],
] as const;

/** A time, written out in UTC as the documents have it, with shortcuts. */
export const MomentField = ({
  label,
  hint,
  value,
  onChange,
}: {
  label: string;
  hint: string;
  value: string;
  onChange: (value: string) => void;
}): ReactElement => (
  <div className="stack tight">
    <Field
      label={label}
      hint={hint}
      placeholder="2026-01-31T12:00:00Z"
      value={value}
      onChange={(event) => onChange(event.target.value)}
    />
    <div className="row">
      {presets.map(([words, ms]) => (
        <Button key={words} look="quiet" onClick={() => onChange(after(ms))}>
          {words}
        </Button>
      ))}
    </div>
  </div>
);

const after = (ms: number): string =>
  new Date(Date.now() + ms).toISOString().replace(/\.\d+Z$/, "Z");
