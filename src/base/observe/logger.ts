import { pino, type Logger as PinoLogger } from "pino";
import type { LogFields, Logger } from "#base/kernel";

export type LogFormat = "text" | "json";
export type LogLevel = "debug" | "info" | "warn" | "error";

/** Writes lines to `sink`: JSON for machines, or `time LEVEL message key=value …` for people. */
export function createLogger(options: {
  level: LogLevel;
  format: LogFormat;
  sink: { write(line: string): unknown };
}): Logger {
  const destination = {
    write: (line: string) => {
      options.sink.write(options.format === "json" ? line : asText(line));
    },
  };
  const base = pino(
    {
      level: options.level,
      base: null,
      timestamp: () => `,"time":"${new Date().toISOString()}"`,
      formatters: { level: (label) => ({ level: label }) },
      messageKey: "message",
    },
    destination,
  );
  return wrap(base);
}

function wrap(base: PinoLogger): Logger {
  return {
    debug: (message, fields) => base.debug(plain(fields), message),
    info: (message, fields) => base.info(plain(fields), message),
    warn: (message, fields) => base.warn(plain(fields), message),
    error: (message, fields) => base.error(plain(fields), message),
    child: (fields) => wrap(base.child(plain(fields))),
  };
}

/** An `error` field becomes its message and code, so that both formats print it. */
function plain(fields: LogFields = {}): Record<string, unknown> {
  const { error, ...rest } = fields;
  if (!(error instanceof Error)) return { ...fields };
  return { ...rest, error: error.message, ...("code" in error ? { code: error.code } : {}) };
}

function asText(line: string): string {
  const { time, level, message, ...fields } = JSON.parse(line) as Record<string, unknown>;
  const pairs = Object.entries(fields).map(([key, value]) => `${key}=${quote(value)}`);
  return [time, String(level).toUpperCase().padEnd(5), message, ...pairs].join(" ") + "\n";
}

function quote(value: unknown): string {
  const text = typeof value === "string" ? value : (JSON.stringify(value) ?? "undefined");
  return /[\s"=]/.test(text) && typeof value === "string" ? JSON.stringify(text) : text;
}
