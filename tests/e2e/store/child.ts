import { once } from "node:events";
import { codeOf, messageOf, silentLogger, systemClock } from "#base/kernel";
import { openSqliteStore, type Store } from "#base/storage";
import { tell } from "#testing/tell";
import { batchOf, indexes, WRITERS } from "./load.ts";

/** A process with a store: `hold` keeps it open, `load` writes until it is killed or refused. */
const [mode, directory] = process.argv.slice(2);

await using store = await openSqliteStore({
  directory: directory!,
  clock: systemClock,
  indexes,
  logger: silentLogger,
});
tell("open");
if (mode === "hold") await once(process, "SIGTERM");
else await Promise.all(Array.from({ length: WRITERS }, (_, id) => load(store, id)));

async function load(store: Store, id: number): Promise<void> {
  const last = await store.get("pair", `${id}-a`);
  for (let n = Number(last?.value["n"] ?? -1) + 1; ; n++) {
    try {
      await store.commit(batchOf(id, n));
      tell(`acknowledged ${id} ${n}`);
    } catch (error) {
      tell(`refused ${codeOf(error)} ${messageOf(error)}`);
      return;
    }
  }
}
