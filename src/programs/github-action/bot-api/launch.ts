import { spawn, type ChildProcess } from "node:child_process";
import { open, writeFile } from "node:fs/promises";
import { fileError } from "#base/kernel";
import type { BotApiInputs } from "./inputs.ts";
import type { Place } from "./place.ts";

type Environment = Readonly<Record<string, string | undefined>>;

export interface Launch {
  readonly inputs: BotApiInputs;
  readonly place: Place;
  /** `tbot` and the words before its own. */
  readonly command: readonly string[];
  readonly env: Environment;
  /** The bot's relative paths begin here. */
  readonly cwd: string;
  /** Told its process id at once, before anything can come between. */
  readonly started: (pid: number) => void;
}

/** Starts the bot so that it outlives this process: in a session of its own, with a file for its output. */
export async function launch(options: Launch): Promise<ChildProcess> {
  const { inputs, place, command, env, cwd, started } = options;
  await writeFile(place.configuration, inputs.config ?? "{}\n", { mode: 0o600, flag: "wx" });
  await using log = await open(place.log, "wx", 0o600);
  const [file, ...words] = [...command, ...wordsOf(inputs, place)];
  const bot = spawn(file!, words, {
    cwd,
    env: environmentOf(env, inputs),
    detached: true,
    stdio: ["ignore", log.fd, log.fd],
  });
  if (bot.pid !== undefined) started(bot.pid);
  await new Promise<void>((resolve, reject) => {
    bot.once("spawn", resolve);
    bot.once("error", (error) => reject(fileError(`cannot start "${file}"`, error)));
  });
  bot.unref();
  return bot;
}

/** What is secret goes by the environment: everyone on a machine can read a command line. */
function wordsOf(inputs: BotApiInputs, { socket, configuration }: Place): string[] {
  const flags: Readonly<Record<string, string | undefined>> = {
    config: configuration,
    listen: socket,
    storage: inputs.storage,
    "proxy-server": inputs.proxy_server ?? inputs.proxy,
    "join-method": inputs.join_method ?? (inputs.token === undefined ? undefined : "github"),
  };
  return [
    "start",
    "bot-api",
    ...Object.entries(flags).flatMap(([name, value]) => (value ? [`--${name}=${value}`] : [])),
    ...(inputs.ca_pin?.split(/[\s,]+/) ?? []).map((pin) => `--ca-pin=${pin}`),
    ...(inputs.log_level === "debug" ? ["--debug"] : []),
  ];
}

/** What the runner says to this action is not for the bot, nor what an earlier bot of the job exported. */
const NOT_FOR_THE_BOT =
  /^(?:INPUT_.*|STATE_.*|GITHUB_(?:OUTPUT|ENV|PATH|STATE|STEP_SUMMARY)|TBOT_API_SOCKET|TBOT_CONFIG_PATH)$/;

function environmentOf(env: Environment, inputs: BotApiInputs): Record<string, string> {
  const all: Environment = {
    ...Object.fromEntries(Object.entries(env).filter(([name]) => !NOT_FOR_THE_BOT.test(name))),
    TBOT_TOKEN: inputs.token ?? env["TBOT_TOKEN"],
    TBOT_JOIN_URI: inputs.join_uri ?? env["TBOT_JOIN_URI"],
    TBOT_REGISTRATION_SECRET: inputs.registration_secret ?? env["TBOT_REGISTRATION_SECRET"],
  };
  const given = Object.entries(all).filter(
    (entry): entry is [string, string] => entry[1] !== undefined,
  );
  return Object.fromEntries(given);
}
