import { Bell } from "#base/kernel";
import { parseX509 } from "#base/crypto";
import { trustToProto, type Authorities, type VerifiedCertificate } from "#domain/authority";
import type { TrustUpdateSchema } from "@tenon/api/tenon/auth/v1/auth";
import type { MessageInitShape } from "@bufbuild/protobuf";
import type { AuthCall } from "./parts.ts";
import { rung } from "./rung.ts";

type Update = MessageInitShape<typeof TrustUpdateSchema>;

/** A renewal is a join and a few certificates: one core does a thousand joins a second. */
const RENEWALS_PER_SECOND = 200;

/** Tells bots and agents what they are to trust, at once and again after each change. */
export class TrustWatch {
  readonly #authorities: Pick<Authorities, "trust" | "onChange">;
  readonly #watchers = new Set<Watcher>();

  constructor(authorities: Pick<Authorities, "trust" | "onChange">) {
    this.#authorities = authorities;
  }

  /**
   * How many that are connected still show a certificate of other keys than those that sign now. Who
   * has renewed counts until its former connection ends, half a minute later.
   */
  behind(): Readonly<Record<string, number>> {
    const { userX509, hostX509 } = this.#authorities.trust();
    const signing = { user: keyOf(userX509[0]!), host: keyOf(hostX509[0]!) };
    const count = (kind: "user" | "host"): number =>
      [...this.#watchers].filter((one) => one.kind === kind && one.signedBy !== signing[kind])
        .length;
    return { user: count("user"), host: count("host") };
  }

  async *watch({
    signal,
    certificate,
  }: Pick<AuthCall, "signal" | "certificate">): AsyncGenerator<Update, void, undefined> {
    const bell = new Bell();
    using _changes = this.#authorities.onChange(() => bell.ring());
    using _counted = this.#count(certificate);
    for (let told; !signal.aborted; await rung(bell, signal)) {
      const trust = this.#authorities.trust();
      if (trust === told) continue;
      told = trust;
      const renewWithinSeconds = Math.floor(this.#watchers.size / RENEWALS_PER_SECOND);
      yield { trust: trustToProto(trust), renewWithinSeconds };
    }
  }

  #count(certificate: VerifiedCertificate | undefined): Disposable {
    const watcher = watcherOf(certificate);
    this.#watchers.add(watcher);
    return { [Symbol.dispose]: () => void this.#watchers.delete(watcher) };
  }
}

/** Who watches, and which key signed its certificate. */
interface Watcher {
  readonly kind?: "user" | "host";
  readonly signedBy?: string | undefined;
}

const watcherOf = (certificate: VerifiedCertificate | undefined): Watcher =>
  certificate
    ? {
        kind: certificate.kind,
        signedBy: parseX509(certificate.der).authorityKeyId?.toString("base64"),
      }
    : {};

const keyOf = (authority: Buffer): string | undefined =>
  parseX509(authority).subjectKeyId?.toString("base64");
