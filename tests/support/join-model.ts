// What the walks at random compare with: join.md's rules, written a second time.
import assert from "node:assert/strict";
import { parseX509, sshFingerprint, type X509 } from "#base/crypto";
import { unavailable } from "#base/kernel";
import type { Store, Write } from "#base/storage";
import { verifyClientCertificate } from "#domain/authority";
import type { JoinCluster } from "./join.ts";
import { Machine } from "./join-machine.ts";

const MINUTE = 60_000;

/** The store, which may fail before a commit or lose the answer after it. */
export class Disk {
  fault: "before" | "after" | undefined;
  /** `instance/generation` of every join that counted. */
  readonly counted: string[] = [];
  recoveries = 0;

  wrap(store: Store): Store {
    const commit = async (writes: readonly Write[]): ReturnType<Store["commit"]> => {
      const { fault } = this;
      const joining = writes.some(({ kind }) => kind === "event");
      if (joining) this.fault = undefined;
      if (joining && fault === "before") throw unavailable("the disk is gone");
      const committed = await store.commit(writes);
      this.#note(writes);
      if (joining && fault === "after") throw unavailable("the disk is gone");
      return committed;
    };
    return new Proxy(store, {
      get: (target, key) => {
        if (key === "commit") return commit;
        const value: unknown = Reflect.get(target, key);
        return typeof value === "function" ? value.bind(target) : value;
      },
    });
  }

  #note(writes: readonly Write[]): void {
    for (const write of writes) {
      if (write.kind !== "event" || !("value" in write) || write.value["type"] !== "bot.join")
        continue;
      const fields = write.value["fields"] as Record<string, string | number | boolean>;
      if (fields["repeated"]) continue;
      this.counted.push(`${fields["instance_id"]}/${fields["generation"]}`);
      if (fields["recovery"]) this.recoveries++;
    }
  }
}

/** What the walk holds in its hands. */
export class World {
  readonly cluster: JoinCluster;
  readonly disk: Disk;
  /** The first is the honest machine; the others are copies of one before them. */
  readonly machines: Machine[];
  /** The latest time at which something was signed. */
  latest: number;

  constructor(cluster: JoinCluster, disk: Disk) {
    this.cluster = cluster;
    this.disk = disk;
    this.machines = [new Machine(cluster, { token: "t" })];
    this.latest = cluster.clock.now();
  }

  get alone(): boolean {
    return this.machines.length === 1;
  }

  machine(index: number): Machine {
    return this.machines[index % this.machines.length]!;
  }
}

export type Prediction = "joins" | "refused" | "found";

/** What join.md says of the next join of a machine, from what it and the cluster hold. */
export async function predict({ cluster }: World, machine: Machine): Promise<Prediction> {
  const now = cluster.clock.now();
  const token = await cluster.resources.require("token", "t");
  const { recovery } = token.spec.bound_keypair!;
  const status = token.status?.bound_keypair;
  const disk = await machine.storage.load();
  const locks = (await cluster.lockNames()).filter((name) => !name.startsWith("superseded-"));
  const lockedInstance = locks.includes(`generation-${status?.bound_bot_instance_id}`);
  if (locks.some((name) => !name.startsWith("generation-")) || lockedInstance) return "refused";
  if (!status?.bound_bot_instance_id) return "joins";

  const state = disk?.joined && claimsOf(disk.joined.join_state);
  const certificate = disk?.joined && certificateOf(cluster, disk.joined.tls_certificate);
  const valid =
    certificate && certificate.from <= now && now < certificate.to ? certificate : undefined;
  const early = state !== undefined && state.iat * 1000 > now + MINUTE;
  const last = status.last_attempt;
  const same =
    last?.attempt_id === disk?.pending?.attempt_id &&
    last?.from.sequence === (state?.sequence ?? 0) &&
    last.from.instance_id === (state?.instance ?? "") &&
    !early;
  const exactly =
    same &&
    (valid
      ? last.from.instance_id === valid.instance && last.from.generation === valid.generation
      : last.from.instance_id !== last.to.instance_id);
  if (exactly) return "joins";

  const keyId = disk?.bound_keys[0];
  const key = keyId && sshFingerprint(await machine.keys.public(keyId));
  if (key !== sshFingerprint(status.bound_public_key) && !same)
    return state && !early ? "found" : "refused";
  if (!state || early) return "refused";
  if (
    state.sequence !== status.recovery_sequence ||
    state.instance !== status.bound_bot_instance_id
  )
    return "found";
  const instance = await cluster.resources.require("bot_instance", `robo:${state.instance}`);
  if (valid) return valid.generation === instance.status?.generation ? "joins" : "found";
  const used = recovery.mode === "standard" && status.recovery_count >= recovery.limit;
  return used ? "refused" : "joins";
}

export function claimsOf(jwt: string): { sequence: number; instance: string; iat: number } {
  const claims = JSON.parse(Buffer.from(jwt.split(".")[1]!, "base64url").toString()) as {
    recovery_sequence: number;
    bot_instance_id: string;
    iat: number;
  };
  const { recovery_sequence: sequence, bot_instance_id: instance, iat } = claims;
  return { sequence, instance, iat };
}

/** Reading a certificate costs more than the walk around it. */
const parsed = new Map<string, X509>();

function certificateOf(cluster: JoinCluster, base64: string) {
  const der = Buffer.from(base64, "base64");
  const x509 = parsed.get(base64) ?? parseX509(der);
  parsed.set(base64, x509);
  const { identity } = verifyClientCertificate(der, cluster.authorities.trust(), x509.notBefore);
  assert.ok("user" in identity);
  const { generation = 0, botInstanceId: instance = "" } = identity;
  return { from: x509.notBefore, to: x509.notAfter, generation, instance };
}
