#!/usr/bin/env node
import { enableCompileCache } from "node:module";

enableCompileCache();
const [{ runMain }, { quickstart }] = await Promise.all([
  import("#base/cli"),
  import("./program.ts"),
]);
// A terminal that is closed must not leave the cluster behind.
process.on("SIGHUP", () => process.kill(process.pid, "SIGTERM"));
await runMain(quickstart, process);
