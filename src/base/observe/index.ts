export { createLogger, type LogFormat, type LogLevel } from "./logger.ts";
export { Metrics } from "./metrics.ts";
