import { Button, Empty, Loading, Panel, Table, Time, type Column } from "@tenon/ui";
import { useQuery } from "@tanstack/react-query";
import { useState, type ReactElement } from "react";
import { useAct } from "../act.ts";
import { useForbidden } from "../api/access.ts";
import { call, named, site } from "../api/client.ts";
import { Problem } from "../api/factor.tsx";
import { allLocks } from "../api/queries.ts";
import type { Lock } from "../api/types.ts";
import { ChangeDialog } from "../change-dialog.tsx";

export function LocksPage(): ReactElement {
  const { data, error, refetch } = useQuery(allLocks);
  const [removing, setRemoving] = useState<Lock>();
  const forbidden = useForbidden()("lock", "delete");
  const columns: readonly Column<Lock>[] = [
    {
      heading: "Target",
      width: "1fr",
      cell: ({ targets }) =>
        Object.entries(targets)
          .map(([kind, name]) => `${kind} ${name}`)
          .join(", "),
    },
    { heading: "Message", width: "1fr", cell: ({ message }) => message || "—" },
    { heading: "By", width: "8rem", cell: ({ created_by }) => created_by || "—" },
    { heading: "Ends", width: "8rem", cell: ({ expires }) => <Time at={expires} /> },
    {
      heading: "Action",
      width: "7rem",
      cell: (lock) => (
        <Button look="quiet" forbidden={forbidden} onClick={() => setRemoving(lock)}>
          Remove
        </Button>
      ),
    },
  ];
  return (
    <>
      <h1>Locks</h1>
      {error ? (
        <Problem error={error} what="Viewing locks" retry={() => void refetch()} />
      ) : !data ? (
        <Loading />
      ) : (
        <Panel title="All locks" flush>
          {data.length === 0 ? (
            <Empty>Nothing is locked.</Empty>
          ) : (
            <Table label="Locks" columns={columns} rows={data} keyOf={({ name }) => name} />
          )}
        </Panel>
      )}
      {removing && <Remove lock={removing} onClose={() => setRemoving(undefined)} />}
    </>
  );
}

function Remove({ lock, onClose }: { lock: Lock; onClose: () => void }): ReactElement {
  const act = useAct("lock", () => call("DELETE", `${site}/locks/${named(lock.name)}`), onClose);
  return (
    <ChangeDialog title="Remove this lock?" action="Remove" act={act} onClose={onClose}>
      <p>What it cut off may connect again at once.</p>
    </ChangeDialog>
  );
}
