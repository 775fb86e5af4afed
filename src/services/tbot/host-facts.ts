/** What a bot tells the cluster about its machine and itself. */
export interface HostFacts {
  readonly version: string;
  readonly hostname: string;
  /** As Node names it: `linux`, `darwin`. */
  readonly os: string;
  readonly architecture: string;
}
