import { badParameter } from "#base/kernel";
import { countActivity } from "#domain/audit";
import type {
  GetBotActivityRequest,
  GetBotActivityResponseSchema,
} from "@tenon/api/tenon/auth/v1/auth";
import type { MessageInitShape } from "@bufbuild/protobuf";
import type { AuthParts } from "./parts.ts";

/** Wider than any screen shows; each step is counted for each activity. */
const MAX_STEPS = 200;

export async function getBotActivity(
  { store }: Pick<AuthParts, "store">,
  { bot, from, stepSeconds, steps }: Omit<GetBotActivityRequest, "$typeName">,
): Promise<MessageInitShape<typeof GetBotActivityResponseSchema>> {
  if (steps < 1 || steps > MAX_STEPS)
    throw badParameter(`steps "${steps}" is not allowed; ask for 1 to ${MAX_STEPS}`);
  if (stepSeconds < 1) throw badParameter("step_seconds must be at least 1");
  const query = { bot, from: Number(from), stepMs: stepSeconds * 1_000, steps };
  const counted = await countActivity(store, query);
  return {
    lines: Object.entries(counted).map(([activity, counts]) => ({
      activity,
      counts: counts.map(BigInt),
    })),
  };
}
