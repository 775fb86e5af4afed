import { queryOptions } from "@tanstack/react-query";
import { call } from "../api/client.ts";

export const ACCOUNT = "/v1/webapi/account";

export interface Account {
  readonly user: string;
  readonly password: boolean;
  readonly authenticator?: { readonly used: string };
  readonly passkeys: readonly Passkey[];
  readonly second_factor: { readonly given: string; readonly until: string };
}

export interface Passkey {
  readonly id: string;
  readonly name: string;
  readonly created: string;
  readonly used: string;
}

export interface OpenSession {
  readonly id: string;
  readonly current: boolean;
  readonly remote_addr: string;
  readonly browser: string;
  readonly agent: string;
  readonly began: string;
  readonly used: string;
  readonly ends: string;
}

/** Both begin with the word by which a change of the account asks for them again. */
export const account = queryOptions({
  queryKey: ["account"],
  queryFn: () => call<Account>("GET", ACCOUNT),
});

export const sessions = queryOptions({
  queryKey: ["account", "sessions"],
  queryFn: async () =>
    (await call<{ items: readonly OpenSession[] }>("GET", `${ACCOUNT}/sessions`)).items,
});
