#!/usr/bin/env node
import { runMain } from "#base/cli";
import { program } from "./program.ts";

await runMain(program, process);
