import { Notice } from "@tenon/ui";
import { useMemo, type ComponentType, type ReactElement } from "react";
import type { FormProps } from "../forms/parts.tsx";
import type { Fault } from "./check.ts";
import { treeOf } from "./tree.ts";

/** The form of a text, or why there is none now. */
export function FormView({
  text,
  Form,
  onChange,
  ...rest
}: {
  text: string;
  Form: ComponentType<FormProps>;
  faults: readonly Fault[];
  isNew: boolean;
  onChange: (text: string) => void;
}): ReactElement {
  const tree = useMemo(() => treeOf(text), [text]);
  if (tree === undefined)
    return (
      <Notice tone="warn">
        The YAML has a fault of syntax: the form can show it once that is mended there.
      </Notice>
    );
  return <Form {...rest} get={tree.get} set={(path, value) => onChange(tree.with(path, value))} />;
}

/** Leads to the field of a fault, or of what is nearest above it; false where there is none. */
export function focusOn(form: HTMLElement | null, path: string): boolean {
  const fields = [...(form?.querySelectorAll<HTMLElement>("[data-path]") ?? [])];
  const above = fields.filter(({ dataset }) => isWithin(path, dataset["path"]!));
  const [nearest] = above.toSorted((a, b) => lengthOf(b) - lengthOf(a));
  const input = nearest?.querySelector<HTMLElement>("input, select, textarea, button");
  input?.focus();
  return input !== undefined && input !== null;
}

const lengthOf = ({ dataset }: HTMLElement): number => dataset["path"]!.length;

const isWithin = (path: string, field: string): boolean =>
  path === field || path.startsWith(`${field}.`) || path.startsWith(`${field}[`);
