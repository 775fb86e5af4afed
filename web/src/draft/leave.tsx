import { Dialog } from "@tenon/ui";
import { useBlocker } from "@tanstack/react-router";
import type { ReactElement } from "react";

/** A stray click does not lose what was typed: asks before another page, and before the tab closes. */
export function AskBeforeLeaving({ dirty }: { dirty: () => boolean }): ReactElement | null {
  const { status, proceed, reset } = useBlocker({
    // Another view of the same draft is not another page.
    shouldBlockFn: ({ current, next }) =>
      dirty() &&
      (current.pathname !== next.pathname || !("view" in next.search && next.search.view)),
    enableBeforeUnload: dirty,
    withResolver: true,
  });
  if (status !== "blocked") return null;
  return (
    <Dialog
      title="Leave without saving?"
      action="Leave"
      danger
      onClose={() => reset()}
      onAct={() => proceed()}
    >
      <p>What you typed here is not saved, and would be lost.</p>
    </Dialog>
  );
}
