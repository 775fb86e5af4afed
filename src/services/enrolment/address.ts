import { badParameter } from "#base/kernel";

export interface Address {
  /** A DNS name or an IP address, IPv6 without brackets. */
  readonly host: string;
  readonly port: number;
}

/** As `parseAddress` reads it. */
export const formatAddress = ({ host, port }: Address): string =>
  `${host.includes(":") ? `[${host}]` : host}:${port}`;

/** Reads `host:port`, `[v6]:port`, or a host alone with the default port. */
export function parseAddress(text: string, defaultPort: number): Address {
  const [, bracketed, plain, port] =
    /^(?:\[([0-9a-fA-F:.]+)\]|([^:/@\s[\]]+))(?::(\d{1,5}))?$/.exec(text.trim()) ?? [];
  const number = port === undefined ? defaultPort : Number(port);
  const host = bracketed ?? plain;
  if (host === undefined || number < 1 || number > 65_535) {
    throw badParameter(
      `"${text}" is not an address; write host:port, such as tenon.example.com:${defaultPort} or [::1]:${defaultPort}`,
    );
  }
  return { host, port: number };
}
