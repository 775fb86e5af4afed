import type { ReactElement } from "react";
import { Button, Menu as AriaMenu, MenuItem, MenuTrigger, Popover } from "react-aria-components";

export interface MenuEntry {
  readonly text: string;
  readonly onAct: () => void;
  readonly danger?: boolean;
  /** Why it cannot be chosen; shown beneath it. */
  readonly forbidden?: string | undefined;
}

/** What else can be done here, behind one button. */
export const Menu = ({
  label,
  text,
  entries,
}: {
  label: string;
  /** On the button; without it three dots. */
  text?: string;
  entries: readonly MenuEntry[];
}): ReactElement => (
  <MenuTrigger>
    <Button className={text === undefined ? "button quiet" : "button"} aria-label={label}>
      <span aria-hidden="true">{text === undefined ? "⋯" : `${text} ▾`}</span>
    </Button>
    <Popover className="popover" placement="bottom end">
      <AriaMenu className="menu">
        {entries.map(({ text, onAct, danger, forbidden }) => (
          <MenuItem
            key={text}
            className={`menu-item ${danger ? "bad" : ""}`}
            textValue={text}
            isDisabled={forbidden !== undefined}
            onAction={onAct}
          >
            {text}
            {forbidden !== undefined && <small className="soft">{forbidden}</small>}
          </MenuItem>
        ))}
      </AriaMenu>
    </Popover>
  </MenuTrigger>
);
