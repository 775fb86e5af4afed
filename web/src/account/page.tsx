import { Title } from "@tenon/ui";
import { useSuspenseQuery } from "@tanstack/react-query";
import type { ReactElement } from "react";
import { viewer } from "../api/queries.ts";
import { Sessions } from "./sessions.tsx";
import { Ways } from "./ways.tsx";

/** One's own: where one is signed in, and with what. */
export function AccountPage(): ReactElement {
  const { data } = useSuspenseQuery(viewer);
  return (
    <>
      <Title text={data.user} />
      <Sessions />
      <Ways />
    </>
  );
}
