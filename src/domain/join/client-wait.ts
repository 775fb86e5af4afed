import { canceled, timedOut } from "#base/kernel";

/** Rejects as soon as the signal aborts, whatever the transport does. */
export async function aborting<T>(work: Promise<T>, signal: AbortSignal): Promise<T> {
  const { promise, reject } = Promise.withResolvers<never>();
  const stop = (): void => {
    const late = signal.reason instanceof DOMException && signal.reason.name === "TimeoutError";
    reject(
      late ? timedOut("the server did not answer in time") : canceled("the join was canceled"),
    );
  };
  if (signal.aborted) stop();
  signal.addEventListener("abort", stop, { once: true });
  work.catch(() => {});
  return await Promise.race([work, promise]).finally(() =>
    signal.removeEventListener("abort", stop),
  );
}
