// Cryptographic tokens that the tests make: SoftHSM's, and a TPM 2.0 in a process of its own.
import assert from "node:assert/strict";
import { execFile, spawn } from "node:child_process";
import { once } from "node:events";
import { existsSync, globSync } from "node:fs";
import { mkdir, mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { promisify } from "node:util";
import koffi from "koffi";
import { until } from "./wait.ts";

const run = promisify(execFile);

export const PIN = "271828";
const SO_PIN = "314159265";

/** What a test, or the environment of a bot, needs to reach a token. */
export interface TestToken extends AsyncDisposable {
  readonly module: string;
  readonly label: string;
  readonly env: Readonly<Record<string, string>>;
}

/** Debian puts modules where the dynamic loader does not look. */
const SOFTHSM = "/usr/lib/softhsm/libsofthsm2.so";
const tpm2Pkcs11 = (): string => globSync("/usr/lib/*/pkcs11/libtpm2_pkcs11.so")[0]!;

/** Tokens of SoftHSM, all of the same PIN. */
export async function openSoftHsm(...others: readonly string[]): Promise<TestToken> {
  const directory = await mkdtemp(join(tmpdir(), "tenon-softhsm-"));
  const env = { SOFTHSM2_CONF: join(directory, "softhsm2.conf") };
  await mkdir(join(directory, "tokens"), { mode: 0o700 });
  await writeFile(env.SOFTHSM2_CONF, `directories.tokendir = ${join(directory, "tokens")}\n`);
  const secrets = ["--pin", PIN, "--so-pin", SO_PIN];
  for (const label of ["bot", ...others]) {
    const words = ["--init-token", "--free", "--label", label, ...secrets];
    await run("softhsm2-util", words, { env: { ...process.env, ...env } });
  }
  return {
    module: SOFTHSM,
    label: "bot",
    env,
    [Symbol.asyncDispose]: () => rm(directory, { recursive: true }),
  };
}

/** Ends every session of this process, as a token that is pulled out would. */
export function closeAllSessions({ module }: TestToken): void {
  const library = koffi.load(module);
  const getSlotList = library.func("C_GetSlotList", "ulong", ["uint8", "void *", "void *"]);
  const closeAll = library.func("C_CloseAllSessions", "ulong", ["ulong"]);
  const [slots, count] = [new BigUint64Array(16), BigUint64Array.of(16n)];
  assert.equal(getSlotList(1, slots, count), 0);
  for (const slot of slots.subarray(0, Number(count[0]))) assert.equal(closeAll(slot), 0);
}

/** A TPM 2.0: swtpm behind a resource manager (as the kernel has for a real one) and tpm2-pkcs11. */
export async function openTpm(): Promise<TestToken> {
  await using owned = new AsyncDisposableStack();
  const directory = await mkdtemp(join(tmpdir(), "tenon-tpm-"));
  owned.defer(() => rm(directory, { recursive: true }));
  const bus = join(directory, "bus");
  const env = {
    DBUS_SESSION_BUS_ADDRESS: `unix:path=${bus}`,
    TPM2_PKCS11_TCTI: "tabrmd:bus_type=session",
    TPM2_PKCS11_STORE: directory,
  };
  const socket = join(directory, "tpm.sock");
  owned.use(await start("swtpm", swtpm(directory, socket), () => existsSync(`${socket}.ctrl`)));
  await writeFile(`${bus}.conf`, busConfiguration(bus));
  owned.use(
    await start("dbus-daemon", ["--nofork", `--config-file=${bus}.conf`], () => existsSync(bus)),
  );
  const options = { env: { ...process.env, ...env } };
  const tool = ["--module", tpm2Pkcs11(), "--so-pin", SO_PIN];
  const init = ["--init-token", "--slot-index", "0", "--label", "bot"];
  const manager = [
    "--session",
    `--tcti=swtpm:path=${socket}`,
    ...(isRoot() ? ["--allow-root"] : []),
  ];
  const ready = (): Promise<boolean> =>
    run("pkcs11-tool", [...tool, ...init], options).then(
      () => true,
      () => false,
    );
  owned.use(await start("tpm2-abrmd", manager, ready, options.env));
  await run("pkcs11-tool", [...tool, "--init-pin", "--token-label", "bot", "--pin", PIN], options);
  const whole = owned.move();
  return {
    module: tpm2Pkcs11(),
    label: "bot",
    env,
    [Symbol.asyncDispose]: () => whole.disposeAsync(),
  };
}

const isRoot = (): boolean => process.getuid?.() === 0;

/** Whoever speaks to it looks for the control socket beside the other one, under this name. */
const swtpm = (directory: string, socket: string): string[] =>
  [
    ["socket", "--tpm2", "--flags", "not-need-init,startup-clear"],
    ["--tpmstate", `dir=${directory}`],
    ["--server", `type=unixio,path=${socket}`],
    ["--ctrl", `type=unixio,path=${socket}.ctrl`],
  ].flat();

/** A bus of the test's own, on which everything is allowed. */
const busConfiguration = (path: string): string => `<busconfig>
  <type>session</type>
  <listen>unix:path=${path}</listen>
  <auth>EXTERNAL</auth>
  <policy context="default"><allow send_destination="*"/><allow eavesdrop="true"/><allow own="*"/></policy>
</busconfig>
`;

/** A process that ends when it is disposed, once it is ready. */
async function start(
  command: string,
  words: readonly string[],
  ready: () => boolean | Promise<boolean>,
  env: NodeJS.ProcessEnv = process.env,
): Promise<AsyncDisposable> {
  const child = spawn(command, words, { stdio: ["ignore", "ignore", "pipe"], env });
  let complaint = "";
  child.stderr.setEncoding("utf8").on("data", (text: string) => (complaint += text));
  const ended = once(child, "close");
  const stop = async (): Promise<void> => {
    child.kill("SIGKILL"); // the manager would wait for its clients
    await ended;
  };
  try {
    await until(`${command} is ready`, async () => {
      assert.equal(child.exitCode, null, `${command} ended: ${complaint}`);
      return await ready();
    });
  } catch (error) {
    await stop();
    throw error;
  }
  return { [Symbol.asyncDispose]: stop };
}
