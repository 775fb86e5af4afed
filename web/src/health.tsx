import { Badge } from "@tenon/ui";
import type { ReactElement } from "react";

const tones: Readonly<Record<string, "good" | "warn" | "bad">> = {
  healthy: "good",
  exited: "good",
  initializing: "warn",
  unhealthy: "bad",
  failed: "bad",
};

export const Health = ({ state }: { state: string }): ReactElement =>
  state === "" ? (
    <span className="soft">unknown</span>
  ) : (
    <Badge tone={tones[state] ?? "soft"}>{state}</Badge>
  );
