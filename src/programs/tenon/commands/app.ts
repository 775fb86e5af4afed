import type { CommandIo } from "#base/cli";
import { addFlags, environmentTree, flagTree, parseTree, type FlagOptions } from "#base/config";
import type { Command } from "commander";
import * as z from "zod";
import {
  appEntry,
  caPin,
  dataDir,
  diagAddr,
  joinContradictions,
  joinParams,
  joinUri,
  logSection,
  proxyServer,
} from "../configuration.ts";
import { run } from "../run.ts";
import { agentSettingsOf } from "../settings.ts";
import { usage } from "./configuration.ts";

/** One application, and where to serve it: what `tenon.yaml` would say in four sections. */
export const appStart = z
  .strictObject({
    ...appEntry.shape,
    proxy_server: proxyServer.optional(),
    join_uri: joinUri.optional(),
    join_params: joinParams.prefault({}),
    ca_pin: caPin.optional(),
    data_dir: dataDir.optional(),
    diag_addr: diagAddr.optional(),
    log: logSection.prefault({}),
  })
  .superRefine((value, context) => {
    if (value.proxy_server === undefined && value.join_uri === undefined)
      context.addIssue({
        code: "custom",
        path: ["proxy_server"],
        message: "is required, or join_uri (--join-uri)",
      });
    for (const { path, message } of joinContradictions(value))
      context.addIssue({ code: "custom", path: [...path], message });
  });

export function defineApp(command: Command, io: CommandIo): void {
  const start = command
    .command("start")
    .description("join a cluster and serve one application through it");
  addFlags(start, appStart).action(async (options: FlagOptions) => {
    const given = usage(() =>
      parseTree({
        schema: appStart,
        what: "the command line",
        trees: [environmentTree(appStart, io.env), flagTree(appStart, options)],
      }),
    );
    await run(await agentSettingsOf(given, { env: io.env, root: process.getuid?.() === 0 }), io);
  });
}
