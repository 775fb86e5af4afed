import { request } from "node:http";
import { notFound } from "#base/kernel";
import { BotApiClient, type RemoteStatus } from "#services/bot-client";
import type { Address } from "#services/enrolment";

export interface Answer {
  readonly ready: boolean;
  /** As `/readyz` answers. */
  readonly text: string;
}

/** Asks once; `not_found` when the bot has no such service. */
export type Ask = (signal: AbortSignal) => Promise<Answer>;

export function askDiagnostics({ host, port }: Address, service: string | undefined): Ask {
  const path = service === undefined ? "/readyz" : `/readyz/${encodeURIComponent(service)}`;
  return (signal) =>
    new Promise((resolve, reject) => {
      request({ host, port, path, signal, agent: false }, (response) => {
        let text = "";
        response.setEncoding("utf8").on("data", (part: string) => (text += part));
        response.on("end", () => {
          if (response.statusCode === 404) reject(notFound(`the bot answers: ${text.trim()}`));
          else resolve({ ready: response.statusCode === 200, text });
        });
        response.on("error", reject);
      })
        .on("error", reject)
        .end();
    });
}

export function askSocket(socket: string, service: string | undefined): Ask {
  return async (signal) => {
    using api = await BotApiClient.open(socket);
    const statuses = await api.statuses(service, { signal });
    const ready = statuses.every(({ status }) => status === "healthy" || status === "exited");
    return { ready, text: `${JSON.stringify(documentOf(statuses, ready))}\n` };
  };
}

const documentOf = (statuses: readonly RemoteStatus[], ready: boolean): object => ({
  status: ready ? "healthy" : "unhealthy",
  services: Object.fromEntries(
    statuses.map(({ name, status, reason, updatedAt }) => [
      name,
      {
        status,
        ...(reason === undefined ? {} : { reason }),
        updated_at: new Date(updatedAt).toISOString(),
      },
    ]),
  ),
});
