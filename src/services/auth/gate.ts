import { accessDenied, codeOf, limitExceeded, unauthenticated } from "#base/kernel";
import type { Around, RpcContext } from "#base/rpc";
import { checkVerb, describeCaller, type Caller } from "#domain/access";
import type { JoinServer } from "#domain/join";
import type { DescService } from "@bufbuild/protobuf";
import { AddressLimit, type AddressLimits } from "./address-limit.ts";
import { CallerReader, type Authenticated } from "./caller.ts";
import { FirstUse } from "./first-use.ts";
import { leaseCall } from "./lease.ts";
import type { AuthCall, AuthParts } from "./parts.ts";
import { Refusals } from "./refusals.ts";
import { kindsOfCaller, rowsOf, type RpcRule, type TableRow } from "./table.ts";

/** A call that was let in, with what must end with it. */
export interface Entered extends AuthCall {
  readonly lease?: Disposable;
}

const anonymous: Authenticated = { caller: { kind: "anonymous" } };

/**
 * Stands around every call: authenticates its caller, limits strangers, asks the table, and tells
 * the audit log of refusals. Strangers are limited first, so that even refusing them stays cheap.
 */
export class Gate {
  readonly #parts: AuthParts;
  readonly #callers: CallerReader;
  readonly #strangers: AddressLimit;
  readonly #firstUse: FirstUse;
  readonly #refusals: Refusals;
  readonly #calls;

  constructor(parts: AuthParts, join: JoinServer, strangers?: AddressLimits) {
    this.#parts = parts;
    this.#callers = new CallerReader(parts);
    this.#strangers = new AddressLimit(parts.clock, strangers);
    this.#firstUse = new FirstUse(join, parts.logger);
    this.#refusals = new Refusals(parts);
    this.#calls = parts.metrics.counter("tenon_rpc_calls_total", "Calls by method and outcome", [
      "method",
      "code",
    ]);
  }

  /** What `bindService` puts around the calls of one service. */
  around(service: DescService): Around<Entered> {
    const rows = new Map(rowsOf(service).map((row) => [row.path, row]));
    return {
      enter: (context) => this.#enter(rows.get(context.method)!, context),
      left: (context, entered, error) => {
        entered?.lease?.[Symbol.dispose]();
        this.#calls.inc({ method: context.method, code: error ? codeOf(error) : "ok" });
        const { rule } = rows.get(context.method)!;
        if (error && entered && !rule.tells) this.#refusals.tell(context, entered.caller, error);
      },
    };
  }

  async #enter(row: TableRow, context: RpcContext): Promise<Entered> {
    let found = anonymous;
    try {
      this.#limit(context);
      found = row.rule.open ? this.#glance(context) : await this.#callers.read(context);
      if (!row.rule.open) await this.#admit(row.rule, found.caller, context);
    } catch (error) {
      this.#refusals.tell(context, found.caller, error);
      throw error;
    }
    return this.#call(row, context, found);
  }

  #limit({ local, peerCertificate, remoteAddr }: RpcContext): void {
    if (local || peerCertificate || this.#strangers.take(remoteAddr)) return;
    throw limitExceeded("too many calls from this address; wait a few seconds and try again");
  }

  /** At an open call a certificate that is not accepted is as good as none. */
  #glance({ peerCertificate }: RpcContext): Authenticated {
    if (!peerCertificate) return anonymous;
    try {
      return { ...anonymous, certificate: this.#callers.verify(peerCertificate) };
    } catch {
      return anonymous;
    }
  }

  async #admit(rule: RpcRule, caller: Caller, context: RpcContext): Promise<void> {
    if (caller.kind === "anonymous") throw this.#unknown(context);
    if (caller.kind !== "admin") this.#parts.locks.check(caller.identity, this.#parts.clock.now());
    if (!kindsOfCaller(caller).some((kind) => rule.callers.includes(kind)))
      throw accessDenied(`${describeCaller(caller)} may not make this call`, {
        detail: `the call is for ${rule.callers.join(", ")}`,
      });
    if (typeof rule.rule === "object") checkVerb(caller, rule.rule.resource, rule.rule.verb);
    await this.#firstUse.note(caller);
  }

  #unknown({ unverifiedCertificate: der }: RpcContext): Error {
    return unauthenticated(
      "this call needs a certificate of the cluster; sign in or join first",
      der && { detail: this.#callers.faultOf(der) },
    );
  }

  #call(row: TableRow, context: RpcContext, found: Authenticated): Entered {
    const { remoteAddr, signal, end } = context;
    const { certificate } = found;
    if (!certificate || row.rule.open || !row.streams) return { ...found, remoteAddr, signal, end };
    const lease = leaseCall(this.#parts, context, certificate.identity);
    return { ...found, remoteAddr, signal, end, lease };
  }
}
