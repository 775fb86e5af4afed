import { Dialog } from "@tenon/ui";
import type { ReactElement, ReactNode } from "react";
import type { Act } from "./act.ts";
import { FactorNotice } from "./api/factor.tsx";

/** A dialog around one change; where that needs a second factor, it is asked for in place. */
export const ChangeDialog = ({
  act,
  ...rest
}: {
  title: string;
  action: string;
  danger?: boolean;
  act: Act;
  children: ReactNode;
  onClose: () => void;
}): ReactElement => (
  <Dialog {...rest} busy={act.busy} error={act.error} onAct={act.run}>
    {rest.children}
    {act.requiresFactor && <FactorNotice what={rest.title} onVerified={act.run} />}
  </Dialog>
);
