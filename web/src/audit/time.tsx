import { Field } from "@tenon/ui";
import { useState, type ReactElement } from "react";
import { isRange, ranges, type EventFilter } from "../api/events.ts";

interface Props {
  readonly filter: EventFilter;
  readonly onChange: (part: EventFilter) => void;
}

/** A quick range, which goes on with time, or from and to. */
export function TimeFilter({ filter, onChange }: Props): ReactElement {
  const { range, from = "", to = "" } = filter;
  const [open, setOpen] = useState(false);
  const own = !isRange(range) && (open || from !== "" || to !== "");
  const choose = (word: string): void => {
    setOpen(word === "own");
    onChange(isRange(word) ? { range: word, from: "", to: "" } : { range: "", from: "", to: "" });
  };
  return (
    <>
      <div className="field">
        <label htmlFor="range">Time</label>
        <select
          id="range"
          value={isRange(range) ? range : own ? "own" : ""}
          onChange={(event) => choose(event.target.value)}
        >
          <option value="">any time</option>
          {Object.entries(ranges).map(([word, { title }]) => (
            <option key={word} value={word}>
              {title}
            </option>
          ))}
          <option value="own">from … to …</option>
        </select>
      </div>
      {own && (
        <>
          <Moment label="From" time={from} onChange={(time) => onChange({ from: time })} />
          <Moment label="To" time={to} onChange={(time) => onChange({ to: time })} />
        </>
      )}
    </>
  );
}

/** In the time of whoever looks; the address has it in that of the cluster. */
const Moment = ({
  label,
  time,
  onChange,
}: {
  label: string;
  time: string;
  onChange: (time: string) => void;
}): ReactElement => (
  <Field
    label={label}
    type="datetime-local"
    value={localOf(time)}
    onChange={(event) => onChange(timeOf(event.target.value))}
  />
);

const timeOf = (local: string): string => {
  const time = new Date(local);
  return Number.isNaN(time.getTime()) ? "" : time.toISOString();
};

/** As the browser's field has it: to the minute, without a zone. */
function localOf(time: string): string {
  const at = new Date(time);
  if (Number.isNaN(at.getTime())) return "";
  const shifted = new Date(at.getTime() - at.getTimezoneOffset() * 60_000);
  return shifted.toISOString().slice(0, 16);
}
