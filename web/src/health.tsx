import { Badge, useNow } from "@tenon/ui";
import type { ReactElement } from "react";
import type { Instance } from "./api/types.ts";

const tones: Readonly<Record<string, "good" | "warn" | "bad">> = {
  healthy: "good",
  exited: "good",
  initializing: "warn",
  quiet: "warn",
  unhealthy: "bad",
  failed: "bad",
};

/** Two of a bot's heartbeats, which come every five minutes, were missed. */
const QUIET_MS = 11 * 60_000;

export const Health = ({ state }: { state: string }): ReactElement =>
  state === "" ? (
    <span className="soft">unknown</span>
  ) : (
    <Badge tone={tones[state] ?? "soft"}>{state}</Badge>
  );

/** What an instance last said of itself, unless it says nothing any more, which is seen as time goes. */
export function InstanceHealth({ instance }: { instance: Instance }): ReactElement {
  const now = useNow();
  return <Health state={stateOf(instance, now)} />;
}

function stateOf({ health, last_active_at, credentials_end }: Instance, now: number): string {
  if (credentials_end !== "" && Date.parse(credentials_end) < now) return "ended";
  return last_active_at !== "" && now - Date.parse(last_active_at) > QUIET_MS ? "quiet" : health;
}
