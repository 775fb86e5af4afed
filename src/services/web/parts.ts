import type { IncomingMessage } from "node:http";
import type { Clock, Logger } from "#base/kernel";
import type { LocalCalls } from "#base/rpc";
import type { Authorities } from "#domain/authority";
import type { Resources } from "#domain/resources";
import type { Session, SignIn } from "#domain/sign-in";

/** What the endpoints are built from. */
export interface WebParts {
  readonly calls: LocalCalls;
  readonly signIn: SignIn;
  readonly resources: Pick<Resources, "get">;
  readonly authorities: Pick<Authorities, "issueUser" | "clusterName" | "trust">;
  /** Where machines outside connect, `host:port`. */
  readonly publicAddr: () => string;
  readonly version: string;
  readonly clock: Clock;
  readonly logger: Logger;
}

/** What every request carries on its way through the endpoints. */
export interface WebEnv {
  Bindings: { readonly incoming: IncomingMessage };
  Variables: {
    readonly session: Session;
    /** DER: what the session's person shows to the authority. */
    readonly certificate: Buffer;
  };
}
