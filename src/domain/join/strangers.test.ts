import assert from "node:assert/strict";
import { suite, test } from "node:test";
import { generateKeyPair, signJws, signJwsWith, sshPublicKeyLine } from "#base/crypto";
import { refusal } from "#testing/join";
import { Machine } from "#testing/join-machine";
import { checkRefusal, solvedBy, STRANGER, type Row } from "#testing/join-refusals";

const MINUTE = 60_000;
const other = generateKeyPair("ed25519");

const strangers: readonly Row[] = [
  {
    name: "an unknown token",
    arrange: ({ cluster }) => new Machine(cluster, { token: "nobody" }),
    told: STRANGER,
    reason: /no such token/,
  },
  {
    name: "a token of another method",
    arrange: async ({ cluster }) => {
      await cluster.addToken("single-use-secret-0001");
      return new Machine(cluster, { token: "single-use-secret-0001" });
    },
    told: STRANGER,
    reason: /for join method "token"/,
  },
  {
    name: "a token that has expired",
    arrange: async ({ cluster, newcomer }) => {
      const expires = new Date(cluster.clock.now() + MINUTE).toISOString();
      await cluster.editToken("fresh", (t) => ({ ...t, metadata: { ...t.metadata, expires } }));
      cluster.clock.jump(MINUTE);
      return newcomer;
    },
    told: STRANGER,
    reason: /no such token|the token expired/,
  },
  {
    name: "a token whose bot is gone",
    arrange: async ({ cluster, newcomer }) => {
      await cluster.remove("bot", "robo");
      return newcomer;
    },
    told: STRANGER,
    reason: /bot "robo" does not exist/,
  },
  {
    name: "a wrong registration secret",
    arrange: ({ cluster }) => new Machine(cluster, { token: "fresh", registrationSecret: "guess" }),
    told: STRANGER,
    reason: /secret is missing, wrong or used up/,
  },
  {
    name: "no registration secret",
    arrange: ({ cluster }) => new Machine(cluster, { token: "fresh", registrationSecret: "" }),
    told: STRANGER,
    reason: /secret is missing/,
  },
  {
    name: "no secret for a token that has none either",
    arrange: async ({ cluster }) => {
      await cluster.addBoundToken("bare", { onboarding: {} });
      return new Machine(cluster, { token: "bare", registrationSecret: "" });
    },
    told: STRANGER,
    reason: /secret is missing/,
  },
  {
    name: "the secret of a token that is already bound",
    arrange: ({ cluster }) => new Machine(cluster, { token: "t" }),
    told: STRANGER,
    reason: /is not the bound one/,
  },
  {
    name: "a registration that comes too late",
    arrange: async ({ cluster, newcomer }) => {
      const must_register_before = new Date(cluster.clock.now()).toISOString();
      await cluster.editBound("fresh", (bound) => ({
        ...bound,
        onboarding: { ...bound.onboarding, must_register_before },
      }));
      return newcomer;
    },
    told: STRANGER,
    reason: /registration ended at/,
  },
  {
    name: "a key other than the initial one, secret or not",
    arrange: async ({ cluster }) => {
      const initial_public_key = sshPublicKeyLine(other.publicKey, "someone@somewhere");
      const onboarding = { initial_public_key, registration_secret: "s3cret" };
      await cluster.addBoundToken("keyed", { onboarding });
      return new Machine(cluster, { token: "keyed" });
    },
    told: STRANGER,
    reason: /is not the token's initial_public_key/,
  },
  {
    name: "an initial key that is none",
    arrange: async ({ cluster }) => {
      await cluster.addBoundToken("keyed", { onboarding: { initial_public_key: "ssh-rsa !" } });
      return new Machine(cluster, { token: "keyed" });
    },
    told: STRANGER,
    reason: /is not the token's initial_public_key/,
  },
  {
    name: "a solution made with another key",
    arrange: ({ newcomer }) =>
      solvedBy((document) => signJws(document, other.privateKey))(newcomer),
    told: STRANGER,
    reason: /did not solve its challenge/,
  },
  {
    name: "a solution that is no JWS",
    arrange: ({ newcomer }) => solvedBy(() => "a.b.c")(newcomer),
    told: STRANGER,
    reason: /did not solve its challenge/,
  },
  {
    name: "a signature over another document",
    arrange: ({ newcomer }) => {
      const { keys } = newcomer;
      const sign = async (document: string): Promise<string> =>
        signJwsWith(
          keys,
          (await keys.list())[0]!.keyId,
          document.replace('"nonce":"', '"nonce":"0'),
        );
      return solvedBy(sign)(newcomer);
    },
    told: STRANGER,
    reason: /did not solve its challenge/,
  },
  {
    name: "a solution replayed from another ceremony",
    arrange: async ({ newcomer }) => {
      let first = "";
      const { keys } = newcomer;
      const sign = async (document: string): Promise<string> => {
        first ||= await signJwsWith(keys, (await keys.list())[0]!.keyId, document);
        return first;
      };
      solvedBy(sign)(newcomer);
      newcomer.lose = "solution";
      await refusal(newcomer.join());
      assert.notEqual(first, "");
      return newcomer;
    },
    told: STRANGER,
    reason: /did not solve its challenge/,
  },
  {
    name: "a solution that comes a minute after its challenge, by the cluster's clock",
    arrange: ({ cluster, newcomer }) => {
      newcomer.tamper = (message) => {
        if (message.case === "solution") cluster.clock.jump(MINUTE);
        return message;
      };
      return newcomer;
    },
    told: STRANGER,
    reason: /did not solve its challenge/,
  },
];

suite("bound_keypair refuses strangers, all in the same words", () => {
  for (const row of strangers) test(row.name, () => checkRefusal(row));
});
