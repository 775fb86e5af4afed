import type { ReactElement, ReactNode } from "react";
import { Tab, TabList, TabPanel, Tabs as AriaTabs } from "react-aria-components";

export interface TabEntry {
  readonly id: string;
  readonly title: string;
  readonly content: ReactNode;
}

/** Several views of one thing; which one is open is the caller's to keep, as in the address. */
export const Tabs = ({
  label,
  open,
  onOpen,
  tabs,
}: {
  label: string;
  open: string;
  onOpen: (id: string) => void;
  tabs: readonly TabEntry[];
}): ReactElement => (
  <AriaTabs className="tabs" selectedKey={open} onSelectionChange={(id) => onOpen(String(id))}>
    <TabList className="tab-list" aria-label={label}>
      {tabs.map(({ id, title }) => (
        <Tab key={id} id={id} className="tab">
          {title}
        </Tab>
      ))}
    </TabList>
    {tabs.map(({ id, content }) => (
      <TabPanel key={id} id={id} className="stack">
        {content}
      </TabPanel>
    ))}
  </AriaTabs>
);
