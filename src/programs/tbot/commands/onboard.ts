import { resolve } from "node:path";
import { UsageError, type CommandIo } from "#base/cli";
import { looksLikeJoinUri } from "#domain/join";
import type { Command } from "commander";
import { defaultStorage } from "../default-storage.ts";
import { readArguments } from "../arguments.ts";
import { onboard } from "../onboard/onboard.ts";

interface Options {
  readonly storage?: string;
  readonly out: string;
  readonly systemdDirectory: string;
}

export function defineOnboard(command: Command, io: CommandIo): void {
  command.argument("[join-uri]", "join URI, as `tctl bots add` prints it; asked for without one");
  command.option("--storage <path>", "where the bot keeps its own identity, as for `tbot start`");
  command.option("--out <file>", "where to write the configuration; asked again", "tbot.yaml");
  command.option("--systemd-directory <path>", "where units are", "/etc/systemd/system");
  command.action(async (uri: string | undefined, options: Options) => {
    if (!process.stdin.isTTY || !process.stdout.isTTY)
      throw new UsageError(
        "tbot onboard asks questions, and there is no terminal here; `tbot configure` prints the configuration for arguments",
      );
    if (uri !== undefined && !looksLikeJoinUri(uri))
      throw new UsageError("the argument is not a join URI (tbot+proxy+…)");
    const { configuration } = await readArguments({
      uri: undefined,
      options: { storage: options.storage },
      services: [],
      io,
    });
    const storage = configuration.storage ?? defaultStorage(io);
    if (storage.type === "memory")
      throw new UsageError("an identity in memory would be gone at the end; give --storage a path");
    const there = { ...storage, path: resolve(storage.path) };
    await onboard({ ...options, uri, storage: there, path: options.out, io, terminal: process });
  });
}
