import { badParameter, notFound } from "#base/kernel";
import { flags } from "./cryptoki.ts";
import type { NativeModule } from "./module.ts";

export interface TokenAddress {
  /** CK_SLOT_ID. Without it and `tokenLabel`, the only token that the module has. */
  readonly slot?: number;
  readonly tokenLabel?: string;
}

/** CK_TOKEN_INFO begins with a label of 32 bytes; flags follow maker, model and serial number. */
const TOKEN_INFO_BYTES = 512;
const LABEL_BYTES = 32;
const FLAGS_AT = 96;
interface Slot {
  readonly id: bigint;
  readonly label: string;
}

export async function findSlot(module: NativeModule, address: TokenAddress): Promise<bigint> {
  const slots = await slotsOf(module);
  const { slot, tokenLabel } = address;
  const fitting = slots.filter(
    ({ id, label }) =>
      (slot === undefined || id === BigInt(slot)) &&
      (tokenLabel === undefined || label === tokenLabel),
  );
  const [found, another] = fitting;
  if (found && !another) return found.id;
  const known = slots.map(({ id, label }) => `"${label}" in slot ${id}`).join(", ") || "none";
  if (found)
    throw badParameter(`"${module.path}" has several such tokens: say which slot; it has ${known}`);
  throw notFound(`"${module.path}" has no such token; it has ${known}`);
}

/** Tokens that are there and have been initialized. */
async function slotsOf(module: NativeModule): Promise<Slot[]> {
  using memory = module.memory();
  const count = memory.numbers([0]);
  await module.call("C_GetSlotList", 1, null, count);
  const list = memory.numbers(Array.from({ length: memory.readNumber(count) + 1 }, () => 0));
  await module.call("C_GetSlotList", 1, list, count);
  const slots: Slot[] = [];
  for (const id of memory.readHandles(list, memory.readNumber(count))) {
    const info = memory.room(TOKEN_INFO_BYTES);
    await module.call("C_GetTokenInfo", id, info);
    const label = memory.read(info, LABEL_BYTES).toString("utf8").trimEnd();
    if (memory.readNumber(info, FLAGS_AT) & flags.tokenInitialized) slots.push({ id, label });
  }
  return slots;
}
