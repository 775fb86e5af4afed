// An OpenID Connect issuer's keys and what it signs with them; `issuer.ts` serves them over HTTPS.
import { randomUUID } from "node:crypto";
import type { Clock } from "#base/kernel";
import { exportJWK, generateKeyPair, SignJWT, type CryptoKey, type JWK } from "jose";

/** Also such as no issuer would sign; `undefined` takes a claim out. */
export type TestClaims = Readonly<Record<string, unknown>>;

interface SigningKey {
  readonly kid: string;
  readonly alg: string;
  readonly privateKey: CryptoKey;
  readonly publicJwk: JWK;
}

/** Seconds; GitHub's tokens live about as long. */
const LIFETIME_S = 300;

export class IdTokens {
  readonly issuer: string;
  readonly #clock: Clock;
  #keys: SigningKey[] = [];

  private constructor(issuer: string, clock: Clock) {
    this.issuer = issuer;
    this.#clock = clock;
  }

  static async open(issuer: string, clock: Clock, alg = "ES256"): Promise<IdTokens> {
    const tokens = new IdTokens(issuer, clock);
    await tokens.addKey(alg);
    return tokens;
  }

  /** The newest key signs; older ones stay published until `withdraw`. */
  async addKey(alg = "ES256"): Promise<string> {
    const kid = `key-${randomUUID()}`;
    const { privateKey, publicKey } = await generateKeyPair(alg, { extractable: true });
    const publicJwk = { ...(await exportJWK(publicKey)), kid, alg, use: "sig" };
    this.#keys = [{ kid, alg, privateKey, publicJwk }, ...this.#keys];
    return kid;
  }

  /** Leaves only the newest key. */
  withdraw(): void {
    this.#keys = this.#keys.slice(0, 1);
  }

  get jwks(): { keys: JWK[] } {
    return { keys: this.#keys.map(({ publicJwk }) => publicJwk) };
  }

  get key(): SigningKey {
    return this.#keys[0]!;
  }

  /** Issued now by the newest key; `undefined` takes a claim or a header out. */
  async sign(claims: TestClaims, header: Record<string, unknown> = {}): Promise<string> {
    const now = Math.floor(this.#clock.now() / 1000);
    const times = { iat: now, exp: now + LIFETIME_S };
    const all = { iss: this.issuer, ...times, jti: randomUUID(), ...claims };
    const { kid, alg, privateKey } = this.key;
    return await new SignJWT(present(all))
      .setProtectedHeader({ alg, ...present({ typ: "JWT", kid, ...header }) })
      .sign(privateKey);
  }
}

const present = (record: Record<string, unknown>): Record<string, unknown> =>
  Object.fromEntries(Object.entries(record).filter(([, value]) => value !== undefined));

export const GITHUB = "https://token.actions.githubusercontent.com";

/** What GitHub says of a job that runs for `main` of octo/app, as its documentation shows it. */
export const githubClaims = {
  sub: "repo:octo/app:ref:refs/heads/main",
  repository: "octo/app",
  repository_id: "74",
  repository_owner: "octo",
  repository_owner_id: "65",
  workflow: "deploy",
  job_workflow_ref: "octo/app/.github/workflows/deploy.yml@refs/heads/main",
  environment: "production",
  actor: "octocat",
  ref: "refs/heads/main",
  ref_type: "branch",
  run_id: "30",
  run_attempt: "2",
};

export const gitlabClaims = {
  sub: "project_path:group/app:ref_type:branch:ref:main",
  project_path: "group/app",
  project_id: "22",
  namespace_path: "group",
  namespace_id: "72",
  ref: "main",
  ref_type: "branch",
  ref_protected: "true",
  environment: "production",
  pipeline_source: "push",
  user_login: "sample",
  pipeline_id: "574",
  job_id: "302",
};

export const kubernetesClaims = {
  sub: "system:serviceaccount:apps:robot",
  "kubernetes.io": {
    namespace: "apps",
    serviceaccount: { name: "robot", uid: "11111111-1111-4111-8111-111111111111" },
    pod: { name: "robot-0", uid: "22222222-2222-4222-8222-222222222222" },
  },
};
