// Processor time of another process, thread by thread, from Linux's scheduler.
import { readdirSync, readFileSync } from "node:fs";

/** Microseconds since its threads began. */
export interface CpuTime {
  readonly total: number;
  /** Of the thread that writes the store. */
  readonly store: number;
}

export function cpuTime(pid: number): CpuTime {
  const time = { total: 0, store: 0 };
  for (const thread of readdirSync(`/proc/${pid}/task`)) {
    const directory = `/proc/${pid}/task/${thread}`;
    const us = Number(readFileSync(`${directory}/schedstat`, "utf8").split(" ")[0]) / 1_000;
    time.total += us;
    if (readFileSync(`${directory}/comm`, "utf8").trim() === "store") time.store += us;
  }
  return time;
}

export const cpuSince = (pid: number, before: CpuTime): CpuTime => {
  const now = cpuTime(pid);
  return { total: now.total - before.total, store: now.store - before.store };
};

/** MiB: what it holds now, and the most that it ever held. */
export function memoryOf(pid: number): { readonly resident: number; readonly peak: number } {
  const status = readFileSync(`/proc/${pid}/status`, "utf8");
  const mib = (field: string): number =>
    Number(new RegExp(`^${field}:\\s+(\\d+) kB`, "m").exec(status)![1]) / 1_024;
  return { resident: mib("VmRSS"), peak: mib("VmHWM") };
}
