import { badParameter, limitExceeded, timedOut } from "#base/kernel";
import type { Handlers } from "#base/rpc";
import { CEREMONY_MS, type JoinServer } from "#domain/join";
import type { JoinService } from "@tenon/api/tenon/join/v1/join";
import type { AuthCall, AuthParts } from "./parts.ts";
import { Slots } from "./slots.ts";

/** Ceremonies at the same time: each waits most of the time, and holds some kilobytes. */
const MAX_CEREMONIES = 2_000;
/** Of these, how many from one address (a whole site behind it may restart at once). */
const MAX_CEREMONIES_PER_ADDRESS = 200;

/** One ceremony for each stream, until it is over, given up, refused, or too long. */
export function createJoinService(
  { clock }: Pick<AuthParts, "clock">,
  joins: JoinServer,
): Handlers<typeof JoinService, AuthCall> {
  const slots = new Slots(MAX_CEREMONIES, MAX_CEREMONIES_PER_ADDRESS);
  return {
    async *join(requests, { remoteAddr, certificate, signal, end }) {
      using _slot = slots.take(remoteAddr) ?? tooMany();
      using _late = clock.timer(CEREMONY_MS, () => end(tooLong()));
      const ceremony = joins.begin({ remoteAddr, ...(certificate ? { certificate } : {}) });
      try {
        for await (const { message } of requests) {
          if (message.case === undefined) throw badParameter("the message is empty");
          const reply = await ceremony.receive(message);
          if (!reply) return;
          yield { message: reply };
          if (ceremony.over) return;
        }
      } finally {
        ceremony.close(signal.aborted ? String(signal.reason) : "the stream ended");
      }
    },
  };
}

const tooLong = () => timedOut(`the join took over ${CEREMONY_MS / 1_000} s; start again`);

function tooMany(): never {
  throw limitExceeded("too many machines are joining at this moment; try again in a few seconds");
}
