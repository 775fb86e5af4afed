import { useLayoutEffect, useRef, type RefObject } from "react";

/**
 * Rows that come before what is looked at do not move it: a list that was scrolled stays at the row
 * that it showed. At its very top the new rows are seen as they come. Sorting moves nothing.
 */
export function useSteady(
  scroller: RefObject<HTMLElement | null>,
  ids: readonly string[],
  rowPx: number,
): void {
  const known = useRef<readonly string[]>([]);
  useLayoutEffect(() => {
    const before = known.current;
    known.current = ids;
    const element = scroller.current;
    const [first] = before;
    if (!element || first === undefined || element.scrollTop === 0 || first === ids[0]) return;
    const come = ids.indexOf(first);
    if (come > 0 && ids.length - before.length === come) element.scrollTop += come * rowPx;
  }, [scroller, ids, rowPx]);
}
