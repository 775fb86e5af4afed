export { duration, durationMs, formatDuration, timestamp } from "./scalars.ts";
