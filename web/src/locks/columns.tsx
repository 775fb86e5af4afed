import { Time, type Column } from "@tenon/ui";
import { Link } from "@tanstack/react-router";
import type { Lock } from "../api/types.ts";
import { Targets } from "../resource/lock.tsx";

/** In words. */
export const targetOf = ({ targets }: Lock): string =>
  Object.entries(targets)
    .map(([kind, name]) => `${kind} ${name}`)
    .join(", ");

export const lockColumns: readonly Column<Lock>[] = [
  {
    heading: "Target",
    width: "minmax(7rem, 1.2fr)",
    value: targetOf,
    cell: ({ targets }) => <Targets targets={targets} />,
  },
  {
    heading: "Message",
    width: "minmax(6rem, 1fr)",
    value: ({ message }) => message,
    cell: ({ name, message }) => (
      <Link to="/resources/$kind/$name" params={{ kind: "lock", name }} search={{ view: "" }}>
        <bdi>{message || "no message"}</bdi>
      </Link>
    ),
  },
  {
    heading: "Made",
    wide: true,
    width: "minmax(8rem, 13rem)",
    downFirst: true,
    value: ({ created_at }) => created_at,
    cell: ({ created_at, created_by }) => (
      <>
        <Time at={created_at} none="—" />
        {created_by && <bdi className="soft"> by {created_by}</bdi>}
      </>
    ),
  },
  {
    heading: "Ends",
    wide: true,
    width: "6rem",
    value: ({ expires }) => expires || "~",
    cell: ({ expires }) => <Time at={expires} none="no end" />,
  },
];
