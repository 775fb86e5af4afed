/** More is for a file; these are for somebody who looks now. */
const MAX_LINES = 5_000;
const MAX_BYTES = 4 * 1024 * 1024;

/** One line of a log as its sink got it, without its end. */
export interface LogLine {
  readonly text: string;
  /** Of the field `service`; absent for lines without one. */
  readonly service?: string;
}

/** The newest lines of a log, for those who come later, and whoever wants to hear the next ones. */
export class LogRing {
  readonly #watchers = new Set<(line: LogLine) => void>();
  #lines: LogLine[] = [];
  #bytes = 0;

  add(line: LogLine): void {
    this.#lines.push(line);
    this.#bytes += line.text.length;
    if (this.#lines.length > 2 * MAX_LINES || this.#bytes > 2 * MAX_BYTES) this.#trim();
    for (const watcher of this.#watchers) watcher(line);
  }

  /** The last `count` lines (of one service), oldest first; 0 for all. */
  tail(options: { readonly count: number; readonly service?: string }): readonly LogLine[] {
    this.#trim();
    const { count, service } = options;
    const found = this.#lines.filter((line) => service === undefined || line.service === service);
    return count === 0 ? found : found.slice(-count);
  }

  watch(watcher: (line: LogLine) => void): Disposable {
    this.#watchers.add(watcher);
    return { [Symbol.dispose]: () => void this.#watchers.delete(watcher) };
  }

  #trim(): void {
    let first = Math.max(0, this.#lines.length - MAX_LINES);
    for (let at = 0; at < first; at++) this.#bytes -= this.#lines[at]!.text.length;
    for (; this.#bytes > MAX_BYTES; first++) this.#bytes -= this.#lines[first]!.text.length;
    if (first > 0) this.#lines = this.#lines.slice(first);
  }
}
