export { LogRing } from "./log-ring.ts";
export { createLogger, type LogFormat, type LogLevel } from "./logger.ts";
export { Metrics } from "./metrics.ts";
