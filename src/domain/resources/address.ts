import * as z from "zod";

const MAX_PORT = 65_535;

/** `db-1.example.com:5432`, `10.0.0.7:22` or `[::1]:22`. */
export const hostAndPort = z
  .string()
  .regex(/^(\[[0-9a-fA-F:.]+\]|[^:/@\s[\]]+):\d{1,5}$/, { error: "must be host:port" })
  .refine((address) => Number(/\d+$/.exec(address)?.[0]) <= MAX_PORT, {
    error: `must have a port of at most ${MAX_PORT}`,
  });
