import { useEffect, useRef, type ReactElement } from "react";
import { openEditor, type Editor, type Mark } from "./codemirror.ts";

export interface Spot {
  readonly line: number;
  readonly column: number;
}

export interface YamlEditorProps {
  readonly label: string;
  readonly value: string;
  readonly marks: readonly Mark[];
  /** Where the cursor goes, each time that it is another object. */
  readonly jump?: Spot | undefined;
  readonly onChange: (value: string) => void;
}

/** An editor with line numbers, colours and marks at faults. Tab leaves it, as every other field. */
export function YamlEditor({ label, value, marks, jump, onChange }: YamlEditorProps): ReactElement {
  const place = useRef<HTMLDivElement>(null);
  const editor = useRef<Editor>(undefined);
  const told = useRef(onChange);
  told.current = onChange;
  useEffect(() => {
    const opened = openEditor(place.current!, { label, onChange: (text) => told.current(text) });
    editor.current = opened;
    return () => opened.close();
  }, [label]);
  useEffect(() => editor.current?.show(value), [value, label]);
  useEffect(() => editor.current?.mark(marks), [marks, value, label]);
  useEffect(() => {
    if (jump) editor.current?.goTo(jump);
  }, [jump]);
  return <div className="editor" ref={place} />;
}
