import { CodedError } from "#base/kernel";

/** There is no session, or none any more; the sentence says why. A page leads to its door. */
export class SignedOut extends CodedError {
  constructor(message: string) {
    super("unauthenticated", message);
  }
}
