import type { ReactElement } from "react";
import { Focusable, Tooltip as AriaTooltip, TooltipTrigger } from "react-aria-components";

const DELAY_MS = 300;

/** More about what is pointed at or has the focus; `children` is one element that takes the focus. */
export const Tooltip = ({
  text,
  children,
}: {
  text: string;
  children: ReactElement;
}): ReactElement => (
  <TooltipTrigger delay={DELAY_MS}>
    <Focusable>{children as ReactElement<object, "span">}</Focusable>
    <AriaTooltip className="tooltip" offset={6}>
      {text}
    </AriaTooltip>
  </TooltipTrigger>
);
