import { Time, type Column } from "@tenon/ui";
import { Link } from "@tanstack/react-router";
import type { ReactElement } from "react";
import type { Token } from "../api/types.ts";
import { ResourceLink } from "../resource/links.tsx";
import { TokenState } from "./state.tsx";

/** After every time. */
const NEVER = "~";

export const tokenColumns: readonly Column<Token>[] = [
  {
    heading: "Name",
    width: "minmax(6rem, 1.2fr)",
    value: ({ name }) => name,
    cell: ({ id, name }) => (
      <Link to="/tokens/$name" params={{ name: id }} search={{ view: "" }} className="mono">
        <bdi>{name}</bdi>
      </Link>
    ),
  },
  {
    heading: "Method",
    wide: true,
    width: "7.5rem",
    value: ({ join_method }) => join_method,
    cell: ({ join_method }) => join_method,
  },
  {
    heading: "For",
    width: "minmax(4rem, 1fr)",
    value: ({ bot_name, roles }) => bot_name || roles.join(),
    cell: ({ bot_name, roles }) =>
      bot_name === "" ? roles.join(", ") : <ResourceLink kind="bot" name={bot_name} />,
  },
  {
    heading: "State",
    width: "minmax(9rem, 12rem)",
    // Whoever has the fewest recoveries left comes first.
    value: ({ recoveries_left }) => recoveries_left ?? Number.MAX_SAFE_INTEGER,
    cell: (token) => (
      <>
        <TokenState token={token} /> <Left token={token} />
      </>
    ),
  },
  {
    heading: "Ends",
    wide: true,
    width: "minmax(6rem, 8rem)",
    value: ({ expires }) => expires || NEVER,
    cell: ({ expires }) => <Time at={expires} />,
  },
];

/** How often its machine may still come back. */
const Left = ({
  token: { recoveries_left: left, recovery_limit: limit },
}: {
  token: Token;
}): ReactElement | null =>
  left === undefined ? null : (
    <span className={left === 0 ? "bad" : "soft"}>
      {left} of {limit} left
    </span>
  );
