import type { Demands } from "./demands.ts";

/** How the unit lets the bot at its directories. */
export interface Places {
  /** Below /var/lib, /run and /var/cache: systemd makes them, and gives them to the unit's user. */
  readonly managed: Readonly<Record<ManagedDirective, readonly string[]>>;
  /** What must be there, and belong to the unit's user. */
  readonly readWrite: readonly string[];
  /** Whether something lies in a home directory. */
  readonly homes: boolean;
  /** Whether something that others should see lies in /tmp or /var/tmp. */
  readonly sharedTmp: boolean;
}

export type ManagedDirective = "StateDirectory" | "RuntimeDirectory" | "CacheDirectory";

const managedRoots: readonly (readonly [root: string, directive: ManagedDirective])[] = [
  ["/var/lib/", "StateDirectory"],
  ["/run/", "RuntimeDirectory"],
  ["/var/run/", "RuntimeDirectory"],
  ["/var/cache/", "CacheDirectory"],
];
/** What has a meaning of its own in StateDirectory= and the like, above all `:`, is left alone. */
const manageable = /^[\w .+@,=/-]+$/;
const homeRoots = ["/home/", "/root/", "/run/user/"];
const tmpRoots = ["/tmp/", "/var/tmp/"];

/** `more` are other paths that the unit uses: of the file, of the program. */
export function placesOf(demands: Demands, more: readonly string[]): Places {
  const written = [...new Set([...demands.written, ...demands.sockets])];
  const used = [...written, ...demands.read, ...more];
  const sorted = written.map(placeOf);
  const below = (wanted: ManagedDirective): string[] =>
    sorted.flatMap(({ directive, path }) => (directive === wanted ? [path] : []));
  return {
    managed: {
      StateDirectory: below("StateDirectory"),
      RuntimeDirectory: below("RuntimeDirectory"),
      CacheDirectory: below("CacheDirectory"),
    },
    readWrite: sorted.flatMap(({ directive, path }) => (directive === undefined ? [path] : [])),
    homes: used.some((path) => isIn(homeRoots, path)),
    sharedTmp: used.some((path) => isIn(tmpRoots, path)),
  };
}

/** Paths that the unit's owner should know about, one sentence each. */
export function placeNotes({ written, sockets }: Demands): string[] {
  const shared = sockets.filter((path) =>
    [...managedRoots, ["/tmp/"]].some(([root]) => root === `${path}/`),
  );
  const temporary = [...written, ...sockets].filter((path) => isIn(tmpRoots, path));
  return [
    ...shared.map(
      (path) =>
        `a socket lies in ${path} itself: give it a directory of its own, such as ${path}/tbot`,
    ),
    ...temporary.map(
      (path) =>
        `"${path}" is gone after a reboot, and every user can put something in its place; prefer /run/tbot`,
    ),
  ];
}

interface Place {
  readonly directive?: ManagedDirective;
  /** Below the directive's root, or absolute. */
  readonly path: string;
}

function placeOf(path: string): Place {
  const managed = managedRoots.find(([root]) => isIn([root], path));
  if (managed && manageable.test(path) && !isIn(homeRoots, path))
    return { directive: managed[1], path: path.slice(managed[0].length) };
  // Nothing below /tmp is there when the machine starts.
  const tmp = tmpRoots.find((root) => isIn([root], path));
  return { path: tmp === undefined ? path : tmp.slice(0, -1) };
}

/** A root itself is not in it. */
const isIn = (roots: readonly string[], path: string): boolean =>
  roots.some((root) => path.startsWith(root) && path.length > root.length);
