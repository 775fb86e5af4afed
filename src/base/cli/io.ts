/** What a command line needs of its process; tests give their own. */
export interface CommandIo {
  readonly stdout: Sink;
  readonly stderr: Sink;
  readonly stdin: AsyncIterable<Uint8Array>;
  readonly env: Readonly<Record<string, string | undefined>>;
  /** Columns of the terminal; 100 where there is none. */
  readonly width: number;
  /** Whether a person is reading: progress is shown only then. */
  readonly interactive: boolean;
  /** Aborts on the first SIGINT or SIGTERM. */
  readonly signal: AbortSignal;
}

export interface Sink {
  write(text: string): unknown;
}
