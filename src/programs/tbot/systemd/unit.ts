import type { Demands } from "./demands.ts";
import { commandWords, plain, word, words } from "./escape.ts";
import { placesOf, type ManagedDirective, type Places } from "./places.ts";

export interface UnitOptions {
  readonly name: string;
  readonly user: string;
  readonly group: string;
  /** The program and its first words, absolute: `["/usr/local/bin/tbot"]`. */
  readonly tbot: readonly string[];
  /** Absolute. */
  readonly file: string;
  /** Given on the command line where the file names none. */
  readonly storage?: string;
  /** Where relative paths of the file begin. */
  readonly cwd: string;
  readonly demands: Demands;
  /** Of the systemd that will read it; where it is not known, only what every version knows. */
  readonly systemdVersion?: number;
}

/** RestartSteps= and RestartMaxDelaySec= came with this version. */
const VERSION_WITH_BACKOFF = 254;

type Line = readonly [key: string, value: string] | string;

/** A service that runs `tbot start -c FILE`, and can do nothing that this file does not need. */
export function unitOf(options: UnitOptions): string {
  const places = placesOf(options.demands, [options.file, ...options.tbot]);
  const sections: readonly (readonly [string, readonly Line[]])[] = [
    ["Unit", unitSection(options)],
    ["Service", [...execution(options), ...directories(places), ...sandbox(options, places)]],
    ["Install", [["WantedBy", "multi-user.target"]]],
  ];
  const text = sections.map(([name, lines]) => `[${name}]\n${lines.map(printed).join("\n")}\n`);
  return `# Written by tbot install systemd.\n${text.join("\n")}`;
}

const printed = (line: Line): string => (typeof line === "string" ? line : line.join("="));

const unitSection = ({ name }: UnitOptions): Line[] => [
  ["Description", `Tenon bot ${name}`],
  ["Wants", "network-online.target"],
  ["After", "network-online.target"],
  "# However often it ends, it is started again.",
  ["StartLimitIntervalSec", "0"],
];

function execution(options: UnitOptions): Line[] {
  const { name, user, group, demands, cwd } = options;
  return [
    ["Type", demands.oneshot ? "oneshot" : "notify"],
    ["User", user],
    ["Group", group],
    "# For TBOT_REGISTRATION_SECRET and the like.",
    ["EnvironmentFile", `-/etc/default/${name}`],
    ...(demands.apiSocket === undefined
      ? []
      : ([["Environment", word(`TBOT_API_SOCKET=${demands.apiSocket}`)]] as const)),
    ...(demands.relative ? ([["WorkingDirectory", plain(cwd)]] as const) : []),
    // With the colon systemd leaves every `$` alone.
    [
      "ExecStart",
      `:${commandWords(options.tbot)} start -c ${word(options.file)}${storageOf(options)}`,
    ],
    ...(demands.oneshot ? ([["Restart", "on-failure"]] as const) : lasting),
    ["RestartSec", "5s"],
    ...backOff(options),
    "# 2 says that the command line makes no sense: trying again would not help.",
    ["RestartPreventExitStatus", "2"],
    ["LimitNOFILE", "65536"],
    "# No key in a core dump.",
    ["LimitCORE", "0"],
  ];
}

const storageOf = ({ storage }: UnitOptions): string =>
  storage === undefined ? "" : ` --storage ${word(storage)}`;

const lasting: readonly Line[] = [
  "# Renews everything at once.",
  ["ExecReload", "/bin/kill -HUP $MAINPID"],
  ["Restart", "always"],
];

function backOff({ systemdVersion = 0, demands }: UnitOptions): Line[] {
  if (systemdVersion < VERSION_WITH_BACKOFF || demands.oneshot) return [];
  return [
    ["RestartSteps", "6"],
    ["RestartMaxDelaySec", "2min"],
  ];
}

function directories({ managed, readWrite }: Places): Line[] {
  const lines: Line[] = [
    "# The whole file system is read-only, but for the storage and the outputs.",
    ["ProtectSystem", "strict"],
    ["UMask", "0077"],
  ];
  for (const directive of Object.keys(managed) as ManagedDirective[]) {
    if (managed[directive].length === 0) continue;
    lines.push([directive, words(unique(managed[directive]))], [`${directive}Mode`, "0700"]);
    if (directive === "RuntimeDirectory") lines.push(["RuntimeDirectoryPreserve", "restart"]);
  }
  if (readWrite.length > 0) lines.push(["ReadWritePaths", words(unique(readWrite))]);
  return lines;
}

function sandbox({ demands }: UnitOptions, { homes, sharedTmp }: Places): Line[] {
  const { lowPort, others, devices } = demands;
  const yes = (keys: string): Line[] => keys.split(" ").map((key) => [key, "yes"]);
  return [
    homes ? ["ProtectHome", "read-only"] : ["ProtectHome", "yes"],
    ...(sharedTmp ? ["# No PrivateTmp: the configuration has paths in /tmp."] : yes("PrivateTmp")),
    ...(devices ? ["# No PrivateDevices: the bound key is in a device."] : yes("PrivateDevices")),
    ...yes("NoNewPrivileges PrivateMounts"),
    ["CapabilityBoundingSet", lowPort ? "CAP_NET_BIND_SERVICE" : ""],
    ["AmbientCapabilities", lowPort ? "CAP_NET_BIND_SERVICE" : ""],
    ...(lowPort || others
      ? ["# No PrivateUsers: it deals with other users, or has a port below 1024."]
      : yes("PrivateUsers")),
    ...yes(
      "ProtectClock ProtectControlGroups ProtectHostname ProtectKernelLogs ProtectKernelModules ProtectKernelTunables",
    ),
    ["ProtectProc", "invisible"],
    ["ProcSubset", "pid"],
    ...yes("LockPersonality RemoveIPC RestrictNamespaces RestrictRealtime RestrictSUIDSGID"),
    ["RestrictAddressFamilies", "AF_INET AF_INET6 AF_UNIX AF_NETLINK"],
    ["SystemCallArchitectures", "native"],
    ["SystemCallFilter", "@system-service"],
    ["SystemCallFilter", "~@privileged @resources"],
    "# What is filtered fails, instead of ending the bot: Node tries some calls and lives without.",
    ["SystemCallErrorNumber", "EPERM"],
    "# No MemoryDenyWriteExecute: Node compiles to machine code while it runs, and would end at once.",
  ];
}

const unique = (list: readonly string[]): string[] => [...new Set(list)];
