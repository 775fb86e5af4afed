import { useEffect, useState } from "react";

const EVERY_MS = 10_000;

/** Milliseconds since the epoch, and again every ten seconds: for what reads differently as time goes. */
export function useNow(): number {
  const [now, setNow] = useState(() => Date.now());
  useEffect(() => {
    const timer = setInterval(() => setNow(Date.now()), EVERY_MS);
    return () => clearInterval(timer);
  }, []);
  return now;
}
