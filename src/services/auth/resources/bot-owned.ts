import { badParameter, type CodedError } from "#base/kernel";
import { BOT_LABEL, type Role, type User } from "#domain/resources";

/** The bot that a user or role belongs to. */
export const ownerBot = (resource: User | Role): string | undefined =>
  resource.metadata.labels[BOT_LABEL];

/** A bot's user and role follow the bot: only it is edited. */
export function checkNotOwned(resource: User | Role): void {
  const bot = ownerBot(resource);
  if (bot !== undefined) throw ownedError(resource, bot);
}

const ownedError = ({ kind, metadata }: User | Role, bot: string): CodedError =>
  badParameter(
    `${kind} "${metadata.name}" belongs to bot "${bot}" and follows it; edit or delete the bot instead`,
  );
