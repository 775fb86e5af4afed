#!/usr/bin/env node
import { enableCompileCache } from "node:module";

// Without a listener Node opens its debugger; `tbot start` sets its own.
process.on("SIGUSR1", () => {});
enableCompileCache();
const [{ runMain }, { tbot }] = await Promise.all([import("#base/cli"), import("./program.ts")]);
await runMain(tbot, process);
