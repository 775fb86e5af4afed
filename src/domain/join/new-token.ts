import type { RecoveryMode, Token } from "#domain/resources";

type Spec = Token["spec"];
type Methods = Partial<Record<Spec["join_method"] & keyof Spec, object>>;

/** A new token by which machines join as a bot; it stays as long as the bot. */
export const botToken = (
  { bot, name }: { readonly bot: string; readonly name: string },
  how: Methods,
): object => ({
  kind: "token",
  version: "v2",
  metadata: { name },
  spec: { roles: ["Bot"], bot_name: bot, join_method: Object.keys(how)[0], ...how },
});

export interface BoundSettings {
  /** A line of OpenSSH; without it the cluster makes a registration secret. */
  readonly publicKey?: string | undefined;
  /** RFC 3339: until when the secret may be used. */
  readonly until: string;
  readonly limit?: number | undefined;
  readonly mode?: RecoveryMode | undefined;
}

/** `spec.bound_keypair` of a new token. */
export const boundSettings = ({ publicKey, until, limit, mode }: BoundSettings): object => ({
  onboarding:
    publicKey === undefined ? { must_register_before: until } : { initial_public_key: publicKey },
  recovery: {
    ...(limit === undefined ? {} : { limit }),
    ...(mode === undefined ? {} : { mode }),
  },
});
