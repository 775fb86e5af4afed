import { createHash } from "node:crypto";

/**
 * The audience of an ID token that answers a challenge. It holds the hash of the challenge, which
 * makes the ID token fresh, and of the keys to be certified, which makes it worthless to anyone else:
 * a server in between that passes the challenge of another cluster on cannot have its own keys
 * certified by the answer.
 */
export function challengedAudience(
  audience: string,
  challenge: {
    readonly document: string;
    /** DER SubjectPublicKeyInfo. */
    readonly tlsPublicKey: Uint8Array;
    /** OpenSSH public key line, or empty. */
    readonly sshPublicKey: string;
  },
): string {
  const hash = createHash("sha256");
  // Neither a JSON document nor a line holds a zero byte, and DER says where it ends.
  hash.update(challenge.document).update("\0");
  hash.update(challenge.sshPublicKey).update("\0");
  hash.update(challenge.tlsPublicKey);
  return `${audience}/${hash.digest("hex")}`;
}
