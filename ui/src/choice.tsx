import { useId, type ReactElement } from "react";
import { Frame } from "./field.tsx";

interface Choosing {
  readonly label: string;
  readonly hint?: string;
}

/** One of a few; `none` names the choice of leaving it out. */
export function Choice({
  label,
  hint,
  value,
  options,
  none,
  disabled,
  onChange,
}: Choosing & {
  readonly value: string;
  readonly options: readonly (readonly [value: string, title: string])[];
  readonly none?: string;
  readonly disabled?: boolean;
  readonly onChange: (value: string) => void;
}): ReactElement {
  const id = useId();
  const strange = value !== "" && options.every(([known]) => known !== value);
  return (
    <Frame id={id} label={label} hint={hint}>
      <select
        id={id}
        aria-describedby={`${id}-hint`}
        value={value}
        disabled={disabled}
        onChange={(event) => onChange(event.target.value)}
      >
        {(none !== undefined || value === "") && <option value="">{none ?? "choose one"}</option>}
        {strange && <option value={value}>{value}</option>}
        {options.map(([each, title]) => (
          <option key={each} value={each}>
            {title}
          </option>
        ))}
      </select>
    </Frame>
  );
}

export function Check({
  label,
  hint,
  value,
  onChange,
}: Choosing & {
  readonly value: boolean;
  readonly onChange: (value: boolean) => void;
}): ReactElement {
  const id = useId();
  return (
    <div className="field check">
      <input
        type="checkbox"
        id={id}
        aria-describedby={`${id}-hint`}
        checked={value}
        onChange={(event) => onChange(event.target.checked)}
      />
      <label htmlFor={id}>{label}</label>
      <small id={`${id}-hint`} className="soft">
        {hint}
      </small>
    </div>
  );
}
