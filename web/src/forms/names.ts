import { queryOptions, useQuery } from "@tanstack/react-query";
import { useAllowed } from "../api/access.ts";
import { call, named, query, site } from "../api/client.ts";
import type { Document, Page } from "../api/types.ts";

/** More than these are searched for by typing. */
const MOST = 500;

const namesOf = (kind: string) =>
  queryOptions({
    queryKey: [kind, "names"],
    retry: false,
    queryFn: async () => {
      const path = `${site}/resources/${named(kind)}${query({ limit: MOST })}`;
      const { items } = await call<Page<Document>>("GET", path);
      return items.map(({ metadata }) => ({
        id: metadata.name,
        about: metadata.description,
      }));
    },
  });

interface Named {
  readonly id: string;
  readonly about: string | undefined;
}

/** What a picker offers; nothing where the viewer may not see it: names can still be typed. */
export function useNames(kind: string, wanted: (name: string) => boolean = all): readonly Named[] {
  const enabled = useAllowed(kind, "list");
  const { data } = useQuery({ ...namesOf(kind), enabled });
  return (data ?? []).filter(({ id }) => wanted(id));
}

const all = (): boolean => true;
