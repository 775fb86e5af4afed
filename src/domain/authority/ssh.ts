import type { SshOptions } from "#base/crypto";
import type { HostClaims, UserClaims } from "./identity.ts";

/** What SSH certificates say; the names are ours, so they carry our domain (PROTOCOL.certkeys). */

/** OpenSSH reads an empty list of principals as "anyone" in some places: name one nobody has. */
const NO_LOGIN = "-tenon-nologin";

export const userPrincipals = ({ logins }: UserClaims): readonly string[] =>
  logins.length > 0 ? logins : [NO_LOGIN];

/** What sshd lets the holder do, then whose certificate it is. Agent and X11 forwarding stay off. */
export function userExtensions(claims: UserClaims): SshOptions {
  return {
    "permit-port-forwarding": "",
    "permit-pty": "",
    "user@tenon.dev": claims.user,
    "roles@tenon.dev": JSON.stringify(claims.roles),
    "traits@tenon.dev": JSON.stringify(claims.traits),
    ...text("bot-name@tenon.dev", claims.botName),
    ...text("bot-instance-id@tenon.dev", claims.botInstanceId),
    ...text("generation@tenon.dev", claims.generation),
    ...text("join-token@tenon.dev", claims.joinToken),
  };
}

export const hostExtensions = (claims: HostClaims): SshOptions => ({
  "roles@tenon.dev": JSON.stringify(claims.roles),
});

const text = (name: string, value: string | number | undefined): SshOptions =>
  value === undefined ? {} : { [name]: String(value) };

/** What sshd logs for each login: the user, and which instance of a bot. */
export const userKeyId = ({ user, botInstanceId }: UserClaims): string =>
  botInstanceId ? `${user}/${botInstanceId}` : user;
