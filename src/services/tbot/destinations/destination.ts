/** One file of an output: its name and content. */
export interface Artifact {
  readonly name: string;
  readonly data: string | Uint8Array;
  /** Public parts may be read by everyone who can enter the directory. */
  readonly public?: boolean;
}

/** Where a service writes its credentials. */
export interface Destination {
  /** Fails early, before anything was issued: the place exists, can be written and is safe. */
  prepare(): Promise<void>;
  /** Writes all artifacts; a reader never sees half of one. */
  write(artifacts: readonly Artifact[]): Promise<void>;
  read(name: string): Promise<Uint8Array | undefined>;
  /** How a person would name it, in logs and errors. */
  toString(): string;
}
