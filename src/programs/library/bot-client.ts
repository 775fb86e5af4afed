import { silentLogger, systemClock, type Logger } from "#base/kernel";
import { BotClient as Client } from "#services/bot-client";

export interface BotClientSettings {
  /** Default: silent. */
  readonly logger?: Logger;
}

/** Credentials from a bot of this machine, through its socket; dispose it at the end. */
export type BotClient = Client;
export const BotClient = {
  /** `socket` is a path, `unix:///path` or `file:///path`. Nothing is sent yet. */
  connect: async (socket: string, settings: BotClientSettings = {}): Promise<Client> =>
    await Client.open({
      socket,
      clock: systemClock,
      random: Math.random,
      logger: settings.logger ?? silentLogger,
    }),
};
