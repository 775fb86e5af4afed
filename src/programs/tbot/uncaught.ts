/** Node ends the process at an error that nobody caught; one that a service takes on ends only that. */
export function watchUncaught(
  host: NodeJS.Process,
  blame: (error: unknown) => boolean,
): Disposable {
  const onError = (error: unknown): void => {
    if (blame(error)) return;
    host.off("uncaughtException", onError);
    queueMicrotask(() => {
      throw error;
    });
  };
  host.on("uncaughtException", onError);
  return { [Symbol.dispose]: () => void host.off("uncaughtException", onError) };
}
