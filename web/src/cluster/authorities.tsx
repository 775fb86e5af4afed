import { Badge, Panel, Table, Time, type Column } from "@tenon/ui";
import { Link } from "@tanstack/react-router";
import type { ReactElement, ReactNode } from "react";
import type { AuthorityStatus } from "../api/types.ts";

/** Each with its keys, and how far a rotation of them is. */
export const Authorities = ({
  authorities,
}: {
  authorities: readonly AuthorityStatus[];
}): ReactElement => (
  <Panel title="Authorities" flush>
    <Table label="Authorities" columns={columns} rows={authorities} keyOf={({ type }) => type} />
  </Panel>
);

const columns: readonly Column<AuthorityStatus>[] = [
  {
    heading: "Authority",
    width: "10rem",
    value: ({ type }) => type,
    cell: ({ type }) => (
      <Link
        to="/resources/$kind/$name"
        params={{ kind: "cert_authority", name: type }}
        search={{ view: "" }}
      >
        {type}
      </Link>
    ),
  },
  { heading: "Rotation", width: "2fr", value: ({ phase }) => phase, cell: rotationOf },
  {
    heading: "Keys end",
    wide: true,
    width: "8rem",
    cell: ({ not_after }) => <Time at={not_after} none="—" />,
  },
  {
    heading: "Fingerprint",
    wide: true,
    width: "2fr",
    cell: ({ fingerprint }) => (
      <span className="mono" title={fingerprint}>
        {fingerprint}
      </span>
    ),
  },
];

function rotationOf({ phase, rotation }: AuthorityStatus): ReactNode {
  if (!rotation) return <span className="soft">{phase}</span>;
  return (
    <>
      <Badge tone="warn">{phase}</Badge>{" "}
      <span className="soft">
        {rotation.next_phase_at === "" ? (
          "goes on by hand"
        ) : (
          <>
            next <Time at={rotation.next_phase_at} />
          </>
        )}
        {rotation.behind > 0 && `; ${rotation.behind} connected are behind`}
      </span>
    </>
  );
}
