import { useId, type ReactElement, type ReactNode } from "react";
import type { InputHTMLAttributes, TextareaHTMLAttributes } from "react";

interface Labelled {
  readonly label: string;
  /** Read out after the label. */
  readonly hint?: string;
}

export function Field({
  label,
  hint,
  ...rest
}: Labelled & InputHTMLAttributes<HTMLInputElement>): ReactElement {
  const id = useId();
  return (
    <Frame id={id} label={label} hint={hint}>
      <input id={id} aria-describedby={`${id}-hint`} {...rest} />
    </Frame>
  );
}

/** For several lines. */
export function TextField({
  label,
  hint,
  ...rest
}: Labelled & TextareaHTMLAttributes<HTMLTextAreaElement>): ReactElement {
  const id = useId();
  return (
    <Frame id={id} label={label} hint={hint}>
      <textarea id={id} aria-describedby={`${id}-hint`} {...rest} />
    </Frame>
  );
}

export const Frame = ({
  id,
  label,
  hint,
  children,
}: {
  id: string;
  label: string;
  hint: string | undefined;
  children: ReactNode;
}): ReactElement => (
  <div className="field">
    <label htmlFor={id}>{label}</label>
    {children}
    <small id={`${id}-hint`} className="soft">
      {hint}
    </small>
  </div>
);
