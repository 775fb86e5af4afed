import { useEffect, useId, useRef } from "react";
import type { FormEvent, KeyboardEvent, ReactElement, ReactNode, SyntheticEvent } from "react";
import { createPortal } from "react-dom";
import { UNSAFE_PortalProvider as PortalProvider } from "react-aria";
import { Button } from "./button.tsx";
import { Notice } from "./notice.tsx";

export interface DialogProps {
  readonly title: string;
  /** What the button does: a verb. */
  readonly action: string;
  readonly danger?: boolean;
  readonly busy?: boolean;
  readonly error?: string | undefined;
  readonly children: ReactNode;
  readonly onClose: () => void;
  readonly onAct: () => void;
}

/**
 * The browser's own dialog: it holds the focus, closes with Escape, and makes the rest inert; so what
 * opens over it, such as the options of a field, is put inside it.
 */
export function Dialog(props: DialogProps): ReactElement {
  const { title, action, danger, busy, error, children, onClose, onAct } = props;
  const dialog = useRef<HTMLDialogElement>(null);
  useEffect(() => {
    dialog.current?.showModal();
  }, []);
  const id = useId();
  // Escape closes what is open over the dialog, such as a list of options, and only then the dialog.
  const isOver = useRef(false);
  const pressed = ({ key }: KeyboardEvent): void => {
    const open = dialog.current?.querySelector("[aria-expanded='true']");
    isOver.current = key === "Escape" && open !== null;
  };
  const cancelled = (event: SyntheticEvent): void => {
    if (isOver.current) event.preventDefault();
  };
  const closed = (event: SyntheticEvent): void => {
    event.stopPropagation();
    onClose();
  };
  const submit = (event: FormEvent): void => {
    event.preventDefault();
    // A dialog that was opened from another one's form is not an answer to that one.
    event.stopPropagation();
    if (!busy) onAct();
  };
  return createPortal(
    <dialog
      ref={dialog}
      onKeyDownCapture={pressed}
      onCancel={cancelled}
      onClose={closed}
      aria-labelledby={id}
    >
      <form onSubmit={submit}>
        <h2 id={id}>{title}</h2>
        <PortalProvider getContainer={() => dialog.current}>{children}</PortalProvider>
        {error !== undefined && <Notice tone="bad">{error}</Notice>}
        <div className="row">
          <Button type="submit" look={danger ? "danger" : "main"} busy={busy ?? false}>
            {action}
          </Button>
          <Button look="quiet" onClick={onClose}>
            Cancel
          </Button>
        </div>
      </form>
    </dialog>,
    document.body,
  );
}
