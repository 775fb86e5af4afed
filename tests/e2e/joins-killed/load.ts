/** What the test tells the process with the machines. */
export interface WorkerOptions {
  readonly directory: string;
  readonly port: number;
  readonly caPin: string;
  readonly seed: number;
  readonly machines: number;
}

/** One join, told after the credential is on the machine's disk and the cluster knows it. */
export interface Acknowledged {
  readonly machine: number;
  readonly attempt: string;
  readonly instance: string;
  readonly generation: number;
  readonly sequence: number;
  readonly recoveries: number;
}

/** A join that failed. */
export interface Failed {
  readonly machine: number;
  readonly code: string;
  readonly message: string;
}

export const tokenOf = (machine: number): string => `machine-${machine}`;

/** A bot, and a token of it for each machine; as YAML documents, which JSON is. */
export function documentsFor(machines: number): string {
  const bot = {
    kind: "bot",
    version: "v1",
    metadata: { name: "robot" },
    spec: { roles: ["access"] },
  };
  const tokens = Array.from({ length: machines }, (_, machine) => ({
    kind: "token",
    version: "v2",
    metadata: { name: tokenOf(machine) },
    spec: {
      roles: ["Bot"],
      bot_name: "robot",
      join_method: "bound_keypair",
      bound_keypair: {
        onboarding: { registration_secret: "s3cret" },
        recovery: { limit: 1_000_000, mode: "standard" },
      },
    },
  }));
  return [bot, ...tokens].map((document) => JSON.stringify(document)).join("\n---\n");
}
