import assert from "node:assert/strict";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { it } from "node:test";
import { silentLogger } from "#base/kernel";
import { connectLocal, serveLocal } from "#base/local";
import { createClient } from "@connectrpc/connect";
import { CredentialService } from "@tenon/api/tenon/tbot/v1/credential";
import { ManualClock } from "#testing/clock";
import type { ServiceDependencies } from "../service-type.ts";
import { credentialRoutes } from "./routes.ts";

it("says that the bot's own identity has ended, and why it has no other", async () => {
  const directory = await mkdtemp(join(tmpdir(), "tenon-certify-"));
  const path = join(directory, "s.sock");
  const clock = new ManualClock();
  const identity = { expires: clock.now() };
  const status = () => ({ reason: "the cluster cannot be reached" });
  const control = { status };
  const dependencies = {
    identity,
    control,
    clock,
    log: silentLogger,
  } as unknown as ServiceDependencies;
  const configuration = { type: "credential-api", name: "x", path, roles: [], max_ttl: "1h" };
  const access = { readers: [], acls: "try" } as const;
  const routes = credentialRoutes({ configuration: { ...configuration, ...access }, dependencies });
  {
    await using _server = await serveLocal({ path, ...access, routes, clock, log: silentLogger });
    using transport = await connectLocal(path);
    await assert.rejects(createClient(CredentialService, transport).generateIdentity({}), {
      code: "unavailable",
      message:
        "the bot's own identity ended at 2026-01-01T00:00:00.000Z: the cluster cannot be reached",
    });
  }
  await rm(directory, { recursive: true });
});
