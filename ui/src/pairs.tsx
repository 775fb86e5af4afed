import { useId, useState, type ReactElement, type ReactNode } from "react";
import { Button } from "./button.tsx";

/** Names with a value each, as rows; a name that is typed twice keeps the later value. */
export function Pairs<Value>({
  legend,
  hint,
  value,
  onChange,
  empty,
  name,
  list,
  actions,
  children,
}: {
  legend: string;
  hint?: string;
  value: readonly (readonly [name: string, value: Value])[];
  onChange: (value: readonly (readonly [string, Value])[]) => void;
  /** The value of a row that is added. */
  empty: Value;
  /** What the first column holds. */
  name: string;
  /** Id of a datalist with names to offer. */
  list?: string;
  actions?: ReactNode;
  /** The input of one row's value. */
  children: (about: { label: string; value: Value; onChange: (value: Value) => void }) => ReactNode;
}): ReactElement {
  const id = useId();
  const replace = (index: number, entry: readonly [string, Value]): void =>
    onChange(value.map((each, at) => (at === index ? entry : each)));
  return (
    <fieldset className="pairs" aria-describedby={`${id}-hint`}>
      <legend>{legend}</legend>
      <small id={`${id}-hint`} className="soft">
        {hint}
      </small>
      {value.map(([key, one], index) => (
        // oxlint-disable-next-line react/no-array-index-key -- a row has nothing else that stays while its name is typed.
        <div className="pair" key={index}>
          <PairName
            label={`${name} ${index + 1}`}
            list={list}
            value={key}
            onChange={(next) => replace(index, [next, one])}
          />
          {children({
            label: key,
            value: one,
            onChange: (next) => replace(index, [key, next]),
          })}
          <Button
            look="quiet"
            aria-label={`Remove ${key || `row ${index + 1}`}`}
            onClick={() => onChange(value.filter((_, at) => at !== index))}
          >
            ×
          </Button>
        </div>
      ))}
      <div className="row">
        <Button onClick={() => onChange([...value, ["", empty]])}>Add</Button>
        {actions}
      </div>
    </fieldset>
  );
}

/** Counts when it is left: a half-typed name is no name. */
function PairName({
  label,
  list,
  value,
  onChange,
}: {
  label: string;
  list: string | undefined;
  value: string;
  onChange: (value: string) => void;
}): ReactElement {
  const [text, setText] = useState(value);
  const [before, setBefore] = useState(value);
  if (before !== value) {
    setBefore(value);
    setText(value);
  }
  return (
    <input
      aria-label={label}
      list={list}
      value={text}
      spellCheck={false}
      autoComplete="off"
      onChange={(event) => setText(event.target.value)}
      onBlur={() => text !== value && onChange(text)}
    />
  );
}
