import { useRef, useState } from "react";
import type { Document } from "../api/types.ts";
import { nothingYet, useChecked, type Checked } from "./check.ts";
import { useSave, type Saving } from "./save.ts";

export interface Drafted {
  readonly text: string;
  readonly setText: (text: string) => void;
  /** What the cluster says to it; nothing before the first change. */
  readonly checked: Checked;
  /** `checked` is about the text as it stands. */
  readonly current: boolean;
  /** The cluster could not be asked. */
  readonly error: unknown;
  /** Nothing was changed. */
  readonly same: boolean;
  readonly save: Saving;
  /** Asked by what may lose it. */
  readonly isDirty: () => boolean;
  /** Goes on from another text at this revision; without one, from the own text. */
  readonly rebase: (revision: string, yaml?: string) => void;
}

/** One text under way, over the revision at which it was read. */
export function useDraft(
  about: { kind: string; name?: string; yaml: string; revision?: string },
  onSaved: (document: Document) => void,
): Drafted {
  const [base, setBase] = useState({ yaml: about.yaml, revision: about.revision });
  const [text, setText] = useState(about.yaml);
  const [tried, setTried] = useState(false);
  const done = useRef(false);
  const draft = { kind: about.kind, yaml: text, name: about.name, revision: base.revision };
  const { checked, ...asked } = useChecked(draft);
  const save = useSave(draft, (document) => {
    done.current = true;
    onSaved(document);
  });
  // Nobody is blamed for fields that they have not come to yet.
  const untouched = !tried && text === about.yaml;
  const overtaken = save.overtaken || (!untouched && checked.refused?.code === "compare_failed");
  return {
    ...asked,
    text,
    setText,
    checked: untouched ? nothingYet : overtaken ? { ...checked, refused: undefined } : checked,
    same: text === base.yaml,
    save: {
      ...save,
      overtaken,
      run: () => {
        setTried(true);
        save.run();
      },
    },
    isDirty: () => !done.current && text !== base.yaml,
    rebase: (revision, yaml) => {
      setBase({ yaml: yaml ?? base.yaml, revision });
      if (yaml !== undefined) setText(yaml);
    },
  };
}
