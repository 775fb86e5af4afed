import { finished, type Duplex } from "node:stream";

/**
 * Joins two duplex streams until both have ended. A half-close passes through; an error or an early
 * close of either end destroys the other, so that a broken transfer never looks complete. Resolves
 * with nothing in every case.
 */
export function splice(left: Duplex, right: Duplex): Promise<void> {
  const destroyBoth = (): void => {
    left.destroy();
    right.destroy();
  };
  const over = [left, right].map(
    (end) =>
      new Promise<void>((resolve) => {
        finished(end, (error) => {
          if (error) destroyBoth();
          resolve();
        });
      }),
  );
  left.pipe(right);
  right.pipe(left);
  return Promise.all(over).then(() => {});
}
