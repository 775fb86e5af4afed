/** Named limits of signing in; each has its refusal where it is used. */

/** An invitation that nobody took up is not left lying about. */
export const INVITATION_MS = 3 * 86_400_000;
/** A page that nobody uses signs itself out; each use moves the end. */
export const SESSION_IDLE_MS = 3_600_000;
/** Whoever is still there then signs in again. */
export const SESSION_MAX_MS = 12 * 3_600_000;
/** A use of the session is written down this often: reading a page costs no commit. */
export const SESSION_TOUCH_MS = 300_000;
/** How long a second factor counts for further actions of an administrator, in the same session. */
export const SECOND_FACTOR_MS = 300_000;
/** An authenticator's dialog that is not answered by then is forgotten. */
export const CHALLENGE_MS = 300_000;
/** Challenges are made for strangers too: beyond this the oldest is forgotten. */
export const MAX_CHALLENGES = 10_000;
/** NIST SP 800-63B-4 asks for 15 where a password stands alone; here a second factor stands beside it. */
export const MIN_PASSWORD = 12;
/** Long enough for any phrase; hashing more would be a gift to an attacker. */
export const MAX_PASSWORD_BYTES = 1_024;
/** One account's keys: a lost one is removed, not buried. */
export const MAX_PASSKEYS = 20;
/** Each check of a password holds 128 MiB for a third of a second. */
export const MAX_PASSWORD_CHECKS = 2;
/** Who waits longer than these is told to come back. */
export const MAX_PASSWORD_QUEUE = 32;
