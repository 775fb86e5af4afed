import { existsSync } from "node:fs";
import { userInfo } from "node:os";
import { dirname, join, resolve } from "node:path";
import { parseYaml, readYaml } from "#base/config";
import { codeOf, messageOf, writeFileAtomic } from "#base/kernel";
import { botConfiguration } from "#services/tbot";
import { describeUnit } from "../systemd/describe.ts";
import { installUnit } from "../systemd/install.ts";
import type { Ask } from "./ask.ts";

/** Of the unit. */
const NAME = "tbot";
/** There while systemd runs the machine (sd_booted(3)). */
const SYSTEMD_RUNS = "/run/systemd/system";

/** Writes the configuration where a person wants it, over nothing unless told; gives the path. */
export async function writeConfiguration(
  text: string,
  { ask, path: first }: { ask: Ask; path: string },
): Promise<string> {
  for (let before = first; ;) {
    const answer = await ask.text({
      message: "Where to write the configuration?",
      before,
      check: (typed) => (typed === "" ? "a path is required" : undefined),
    });
    const path = resolve(answer);
    before = answer;
    if (existsSync(path) && !(await mayReplace(path, ask))) continue;
    try {
      // For its owner: it says where this machine's identity lies.
      await writeFileAtomic(path, text, { mode: 0o600 });
      return path;
    } catch (error) {
      ask.say("error", messageOf(error));
    }
  }
}

const mayReplace = async (path: string, ask: Ask): Promise<boolean> =>
  await ask.yes({ message: `"${path}" is there already. Replace it?`, before: false });

/** Makes it a service of the machine, for whoever wants that. */
export async function offerUnit(
  file: string,
  { ask, directory }: { ask: Ask; directory: string },
): Promise<void> {
  const wanted = await ask.yes({
    message: "Make it a service of this machine (systemd)?",
    before: existsSync(SYSTEMD_RUNS),
  });
  if (!wanted) return;
  const user = await ask.text({
    message: "Which user shall it run as? Its files must be that user's",
    before: userInfo().username,
  });
  const configuration = parseYaml({ ...(await readYaml(file)), schema: botConfiguration });
  const { text, notes } = await describeUnit({ configuration, file, name: NAME, user });
  for (const note of notes) ask.say("warn", note);
  ask.say("success", await install({ text, file, directory, ask }));
}

interface Installing {
  readonly text: string;
  readonly file: string;
  readonly directory: string;
  readonly ask: Ask;
}

/** Where root alone may, it is written beside the configuration. */
async function install(installing: Installing): Promise<string> {
  const { text, directory, ask } = installing;
  const path = join(directory, `${NAME}.service`);
  const force = existsSync(path) && (await mayReplace(path, ask));
  try {
    return await installUnit({ name: NAME, text, directory, force });
  } catch (error) {
    if (codeOf(error) === "already_exists") return `"${path}" is unchanged.`;
    if (codeOf(error) === "access_denied") return await writeBeside(installing);
    throw error;
  }
}

async function writeBeside({ text, file, directory }: Installing): Promise<string> {
  const path = join(dirname(file), `${NAME}.service`);
  await writeFileAtomic(path, text, { mode: 0o644 });
  return `Wrote "${path}", for only root may write to ${directory}. Install it with

  sudo install -m 0644 "${path}" ${directory}/
  sudo systemctl daemon-reload
  sudo systemctl enable --now ${NAME}`;
}
