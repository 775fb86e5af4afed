import { useLayoutEffect, useRef, type RefObject } from "react";

/**
 * Rows that come before what is looked at do not move it: a list that was scrolled stays at the row
 * that it showed. At its very top the new rows are seen as they come.
 */
export function useSteady(
  scroller: RefObject<HTMLElement | null>,
  ids: readonly string[],
  rowPx: number,
): void {
  const first = useRef<string>(undefined);
  useLayoutEffect(() => {
    const before = first.current;
    first.current = ids[0];
    const element = scroller.current;
    if (!element || before === undefined || element.scrollTop === 0 || before === ids[0]) return;
    const come = ids.indexOf(before);
    if (come > 0) element.scrollTop += come * rowPx;
  }, [scroller, ids, rowPx]);
}
