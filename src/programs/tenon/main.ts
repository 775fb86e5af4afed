#!/usr/bin/env node
import { enableCompileCache } from "node:module";

enableCompileCache();
const [{ runMain }, { program }] = await Promise.all([import("#base/cli"), import("./program.ts")]);
await runMain(program, process);
