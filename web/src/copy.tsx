import { Button } from "@tenon/ui";
import { useState, type ReactElement } from "react";

const texts = { idle: "Copy", done: "Copied", failed: "Select it and copy by hand" };

/** Puts a text on the clipboard, and says whether the browser let it. */
export function Copy({ text }: { text: string }): ReactElement {
  const [state, setState] = useState<keyof typeof texts>("idle");
  const copy = async (): Promise<void> => {
    try {
      await navigator.clipboard.writeText(text);
      setState("done");
    } catch {
      setState("failed");
    }
  };
  return <Button onClick={() => void copy()}>{texts[state]}</Button>;
}
