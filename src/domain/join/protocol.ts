/**
 * The flow of one ceremony (docs/protocols/joining.md). Each method uses the lines that it needs.
 *
 *   1  client → Init             attempt, token, public keys to certify, facts, the method's block
 *   2  server → Challenge        a document with a nonce
 *   3  client → Solution         a compact JWS over exactly that document
 *      3a server → RotationRequest    the bound key is due for replacement
 *      3b client → NewKey             its successor
 *      3c server → Challenge          as 2, for the successor
 *      3d client → Solution           as 3
 *   4  server → Result           certificates, authorities, join state, bound key, notices
 *   5  client → Ack              after the credential is on disk
 *   6  server → Acknowledged     the record of the attempt is gone
 *
 * The client may send GivingUp instead of any of its messages.
 */
import type { JoinRequest, JoinResponse, ResultSchema } from "@tenon/api/tenon/join/v1/join";
import type { MessageInitShape } from "@bufbuild/protobuf";

/** What a client may send: 1, 3, 3b, 3d, 5, or GivingUp. */
export type JoinMessage = Exclude<JoinRequest["message"], { case: undefined }>;
/** What a server may answer: 2, 3a, 3c, 4 or 6. */
export type JoinReply = Exclude<JoinResponse["message"], { case: undefined }>;
export type ResultContent = MessageInitShape<typeof ResultSchema>;

/** The whole ceremony, from the first byte of the stream: an honest client needs a tenth of a second. */
export const CEREMONY_MS = 30_000;

/** What a method wants next: it awaits one message, or it is done. */
export type Step =
  | {
      readonly step: "challenge";
      readonly document: string;
      readonly publicKey: string;
      /** The cluster was restored from a backup, and may know only an older key of the client. */
      readonly resync?: true;
      readonly solve: (jws: string) => Promise<Step>;
    }
  | {
      readonly step: "rotation";
      readonly algorithmSuite: string;
      readonly offer: (publicKey: string) => Promise<Step>;
    }
  | {
      readonly step: "result";
      readonly result: ResultContent;
      readonly acknowledge: () => Promise<void>;
    };

/** The server's half: one state for each message that it awaits, holding what takes that message. */
export type ServerState =
  | { readonly at: "init" }
  | { readonly at: "solution"; readonly solve: (jws: string) => Promise<Step> }
  | { readonly at: "new_key"; readonly offer: (publicKey: string) => Promise<Step> }
  | { readonly at: "ack"; readonly acknowledge: () => Promise<void> }
  /** A message is being worked on; another one now is out of order. */
  | { readonly at: "busy" }
  | { readonly at: "ended"; readonly why: string };

export const awaitingInit = (): ServerState => ({ at: "init" });
export const busy = (): ServerState => ({ at: "busy" });
export const ended = (why: string): ServerState => ({ at: "ended", why });

/** The state that awaits the answer to a step. */
export function awaitingAnswer(step: Step): ServerState {
  switch (step.step) {
    case "challenge":
      return { at: "solution", solve: step.solve };
    case "rotation":
      return { at: "new_key", offer: step.offer };
    default:
      return { at: "ack", acknowledge: step.acknowledge };
  }
}

/** The client's half: one state for each answer that it awaits. */
export type ClientState =
  /** 1 is sent; 2 or, from methods without a challenge, 4 comes. */
  | { readonly at: "init_sent" }
  /** 3 is sent; 3a or 4 comes. */
  | { readonly at: "solution_sent" }
  /** 3b is sent; 3c comes, for this key. */
  | { readonly at: "new_key_sent"; readonly keyId: string }
  /** 3d is sent; 4 comes. */
  | { readonly at: "new_solution_sent" }
  /** 5 is sent, and the credential is safe whatever comes. */
  | { readonly at: "ack_sent" };

export const initSent = (): ClientState => ({ at: "init_sent" });
export const solutionSent = (): ClientState => ({ at: "solution_sent" });
export const newKeySent = (keyId: string): ClientState => ({ at: "new_key_sent", keyId });
export const newSolutionSent = (): ClientState => ({ at: "new_solution_sent" });
export const ackSent = (): ClientState => ({ at: "ack_sent" });
