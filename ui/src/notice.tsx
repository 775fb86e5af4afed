import type { ReactElement, ReactNode } from "react";

interface NoticeProps {
  readonly tone: "bad" | "warn" | "soft";
  readonly children: ReactNode;
}

/** Something to know, in place; what went wrong is read out at once. */
export const Notice = ({ tone, children }: NoticeProps): ReactElement => (
  <div className={`notice ${tone}`} role={tone === "bad" ? "alert" : "status"}>
    {children}
  </div>
);

export const Empty = ({ children }: { children: ReactNode }): ReactElement => (
  <div className="empty">{children}</div>
);

export const Loading = (): ReactElement => (
  <p className="loading" role="status">
    Loading …
  </p>
);
