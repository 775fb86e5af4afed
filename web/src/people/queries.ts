import { queryOptions } from "@tanstack/react-query";
import { call, named, site } from "../api/client.ts";

export interface WaysIn {
  readonly password: boolean;
  readonly passkeys: number;
}

export const waysIn = (user: string) =>
  queryOptions({
    queryKey: ["user", "ways-in", user],
    queryFn: () => call<WaysIn>("GET", `${site}/users/${named(user)}/sign-in`),
    retry: false,
  });

export interface Invitation {
  readonly url: string;
  readonly expires: string;
}

export const invite = (user: string, recovery: boolean): Promise<Invitation> =>
  call<Invitation>("POST", `${site}/users/${named(user)}/invitation`, { recovery });
