import { pino, type Logger as PinoLogger } from "pino";
import type { LogFields, Logger } from "#base/kernel";
import type { LogRing } from "./log-ring.ts";

export type LogFormat = "text" | "json";
export type LogLevel = "debug" | "info" | "warn" | "error";

/** Writes lines to `sink`: JSON for machines, or `time LEVEL message key=value …` for people. */
export function createLogger(options: {
  level: LogLevel;
  format: LogFormat;
  sink: { write(line: string): unknown };
  /** Gets every line as well. */
  ring?: LogRing;
}): Logger {
  const { format, sink, ring } = options;
  const destination = {
    write: (json: string) => {
      const fields = format === "text" || ring ? fieldsOf(json) : {};
      const line = format === "json" ? json : asText(fields);
      sink.write(line);
      ring?.add({ text: line.trimEnd(), ...serviceOf(fields) });
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

const fieldsOf = (json: string): LogFields => JSON.parse(json) as Record<string, unknown>;

const serviceOf = ({ service }: LogFields): { service?: string } =>
  typeof service === "string" ? { service } : {};

function asText({ time, level, message, ...fields }: LogFields): string {
  const pairs = Object.entries(fields).map(([key, value]) => `${key}=${quote(value)}`);
  return [time, String(level).toUpperCase().padEnd(5), message, ...pairs].join(" ") + "\n";
}

function quote(value: unknown): string {
  const text = typeof value === "string" ? value : (JSON.stringify(value) ?? "undefined");
  return /[\s"=]/.test(text) && typeof value === "string" ? JSON.stringify(text) : text;
}
