// What a machine of bench/join.ts says to the cluster.
import { randomUUID } from "node:crypto";
import { create, fromBinary, toBinary, type MessageInitShape } from "@bufbuild/protobuf";
import { PingRequestSchema } from "@tenon/api/tenon/auth/v1/auth";
import {
  JoinRequestSchema,
  JoinResponseSchema,
  type JoinResponse,
  type Result,
} from "@tenon/api/tenon/join/v1/join";
import { signJws } from "#base/crypto";
import type { Call, Line } from "./join-line.ts";
import type { Machine } from "./join-machines.ts";

type Message = NonNullable<MessageInitShape<typeof JoinRequestSchema>["message"]>;
type Answer = JoinResponse["message"];

/** The whole ceremony, from Init to Acknowledged; the machine goes on with what it was given. */
export async function join(line: Line, machine: Machine): Promise<void> {
  const call = line.call("/tenon.join.v1.JoinService/Join");
  say(call, initOf(machine));
  const { document } = expect(await hear(call), "challenge");
  say(call, { case: "solution", value: { jws: signJws(document, machine.bound.privateKey) } });
  const result = expect(await hear(call), "result");
  say(call, { case: "ack", value: {} });
  expect(await hear(call), "acknowledged");
  call.end();
  keep(machine, result);
}

/** One call that does nothing. */
export async function ping(line: Line): Promise<void> {
  const call = line.call("/tenon.auth.v1.AuthService/Ping");
  call.send(toBinary(PingRequestSchema, create(PingRequestSchema)));
  call.end();
  await call.receive();
}

const initOf = (machine: Machine): Message => ({
  case: "init",
  value: {
    attemptId: randomUUID(),
    token: machine.token,
    tlsPublicKey: machine.tls.spki,
    sshPublicKey: machine.sshLine,
    role: "Bot",
    host: { hostname: machine.token, os: "linux", architecture: "amd64", version: "0.1.0" },
    method: {
      case: "boundKeypair",
      value: {
        registrationSecret: machine.joinState === "" ? machine.secret : "",
        publicKey: machine.bound.line,
        previousJoinState: machine.joinState,
      },
    },
  },
});

function keep(machine: Machine, { credentials, joinState }: Result): void {
  if (!credentials) throw new Error("the result holds no credentials");
  machine.certificate = Buffer.from(credentials.tlsCertificate);
  machine.joinState = joinState;
}

function say(call: Call, message: Message): void {
  call.send(toBinary(JoinRequestSchema, create(JoinRequestSchema, { message })));
}

const hear = async (call: Call): Promise<Answer> =>
  fromBinary(JoinResponseSchema, await call.receive()).message;

function expect<C extends NonNullable<Answer["case"]>>(answer: Answer, wanted: C) {
  if (answer.case === wanted) return answer.value as Extract<Answer, { case: C }>["value"];
  throw new Error(`"${String(answer.case)}" came in place of "${wanted}"`);
}
