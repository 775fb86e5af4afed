import { Badge, Time, type Column } from "@tenon/ui";
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
    width: "minmax(8rem, 1.2fr)",
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
    width: "8rem",
    value: ({ join_method }) => join_method,
    cell: ({ join_method }) => join_method,
  },
  {
    heading: "For",
    width: "minmax(5rem, 1fr)",
    value: ({ bot_name, roles }) => bot_name || roles.join(),
    cell: ({ bot_name, roles }) =>
      bot_name === "" ? roles.join(", ") : <ResourceLink kind="bot" name={bot_name} />,
  },
  {
    heading: "State",
    width: "7rem",
    value: ({ state }) => state ?? "",
    cell: (token) => <TokenState token={token} />,
  },
  {
    heading: "Recoveries",
    wide: true,
    width: "5.5rem",
    number: true,
    value: ({ recoveries_left }) => recoveries_left ?? Number.MAX_SAFE_INTEGER,
    cell: (token) => <Recoveries token={token} />,
  },
  {
    heading: "Ends",
    wide: true,
    width: "6.5rem",
    value: ({ expires }) => expires || NEVER,
    cell: ({ expires }) => <Time at={expires} />,
  },
];

const Recoveries = ({
  token: { recoveries_left: left, recovery_limit: limit },
}: {
  token: Token;
}): ReactElement =>
  left === undefined ? (
    <span className="soft">—</span>
  ) : left === 0 ? (
    <Badge tone="bad">0 of {limit}</Badge>
  ) : (
    <>
      {left} of {limit}
    </>
  );
