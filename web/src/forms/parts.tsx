import type { ReactElement, ReactNode } from "react";
import type { Fault } from "../draft/check.ts";
import type { Path } from "../draft/tree.ts";

/** What every form of a kind works on. */
export interface FormProps {
  readonly get: (path: Path) => unknown;
  readonly set: (path: Path, value: unknown) => void;
  readonly faults: readonly Fault[];
  /** Its name, and whatever else names what it is, can still be chosen. */
  readonly isNew: boolean;
}

export const nameOfPath = (path: Path): string =>
  path
    .map((step) => (typeof step === "number" ? `[${step}]` : `.${step}`))
    .join("")
    .replace(/^\./, "");

/** A field with what is wrong at its path, beneath it. */
export function At({
  form,
  path,
  children,
}: {
  form: FormProps;
  path: Path;
  children: ReactNode;
}): ReactElement {
  const name = nameOfPath(path);
  const wrong = form.faults.filter(
    (fault) =>
      fault.path === name || fault.path.startsWith(`${name}.`) || fault.path.startsWith(`${name}[`),
  );
  return (
    <div
      data-path={name}
      role={wrong.length > 0 ? "group" : undefined}
      aria-describedby={wrong.length > 0 ? `fault-${name}` : undefined}
      className={wrong.length > 0 ? "faulty" : undefined}
    >
      {children}
      {wrong.length > 0 && (
        <small className="bad" id={`fault-${name}`}>
          {wrong.map(({ message }) => (
            <bdi key={message}>{message} </bdi>
          ))}
        </small>
      )}
    </div>
  );
}

/** What is empty is left out, and so is its default. */
export const orNothing = <T,>(value: T): T | undefined =>
  value === "" || (Array.isArray(value) && value.length === 0) ? undefined : value;
