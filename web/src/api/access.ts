import { useSuspenseQuery } from "@tanstack/react-query";
import { viewer } from "./queries.ts";

/** Why the viewer may not do something; nothing when the roles allow it. */
export function useForbidden(): (resource: string, verb: string) => string | undefined {
  const { data } = useSuspenseQuery(viewer);
  return (resource, verb) =>
    data.access[resource]?.includes(verb)
      ? undefined
      : `none of your roles (${data.roles.join(", ") || "you have none"}) allows "${verb}" on ${resource}`;
}

/** Whether the roles let the viewer see it: what they do not is not asked for, and no refusal is logged. */
export const useAllowed = (resource: string, verb: string): boolean =>
  useForbidden()(resource, verb) === undefined;
