import { EndedWith, type CommandIo } from "#base/cli";
import { messageOf } from "#base/kernel";
import type { RemoteStatus, SpawnOutcome } from "#services/bot-client";

type Streams = Pick<CommandIo, "stdout" | "stderr">;

const EXIT_FAILED = 1;
const EXIT_NOT_ACCEPTED = 2;
const EXIT_TIMED_OUT = 3;

/** Says so, and ends the command: nothing was started. */
export function notAccepted(error: unknown, { stderr }: Streams): EndedWith {
  stderr.write(`Error: not accepted, nothing was started:\n${indented(messageOf(error))}\n`);
  return new EndedWith(EXIT_NOT_ACCEPTED);
}

/** What stands goes to stdout, what does not, with the reason of each, to stderr. */
export function tellOutcome(
  { outcome, services }: SpawnOutcome,
  { io, timeout }: { io: Streams; timeout: string | undefined },
): void {
  const bad = outcome === "started" ? [] : services.filter((service) => !stands(service));
  for (const service of services)
    if (!bad.includes(service)) io.stdout.write(`Started service: ${service.name}\n`);
  if (outcome === "started") return;
  const count = `${bad.length} of ${services.length} ${services.length === 1 ? "service" : "services"}`;
  const what =
    outcome === "failed" ? "did not start well" : `did not report within ${timeout ?? "the time"}`;
  io.stderr.write(`Error: ${count} ${what}:\n${bad.map(lineOf).join("")}${advice(bad)}`);
  throw new EndedWith(outcome === "failed" ? EXIT_FAILED : EXIT_TIMED_OUT);
}

const stands = ({ status }: RemoteStatus): boolean => status === "healthy" || status === "exited";

const lineOf = ({ name, status, reason = status }: RemoteStatus): string =>
  `${indented(`${name}: ${reason}`)}\n`;

const indented = (text: string): string => text.replaceAll(/^/gm, "  ");

/** A service that failed for good has ended; the others are still there. */
function advice(bad: readonly RemoteStatus[]): string {
  const going = bad.filter(({ status }) => status !== "failed").map(({ name }) => name);
  return going.length > 0
    ? `The bot goes on trying; to end that: tbot api stop ${going.join(" ")}\n`
    : "";
}
