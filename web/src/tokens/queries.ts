import { queryOptions } from "@tanstack/react-query";
import { call, named, site } from "../api/client.ts";
import type { Token } from "../api/types.ts";

export const tokenOf = (id: string) =>
  queryOptions({
    queryKey: ["token", "one", id],
    queryFn: () => call<Token>("GET", `${site}/tokens/${named(id)}`),
    retry: false,
  });
