import { Button, Empty, Loading, Notice, Panel, Table, Title, type Column } from "@tenon/ui";
import { useQuery } from "@tanstack/react-query";
import { useNavigate, useSearch } from "@tanstack/react-router";
import { useCallback, useState, type ReactElement } from "react";
import { useAct } from "../act.ts";
import { useForbidden } from "../api/access.ts";
import { call, named, site } from "../api/client.ts";
import { Problem } from "../api/factor.tsx";
import { allLocks, MOST_SORTED } from "../api/queries.ts";
import type { Lock } from "../api/types.ts";
import { ChangeDialog } from "../change-dialog.tsx";
import { Search } from "../list.tsx";
import { lockColumns, targetOf } from "../locks/columns.tsx";
import { NewLock } from "../locks/new.tsx";

export function LocksPage(): ReactElement {
  const { search = "" } = useSearch({ from: "/shell/locks" });
  const navigate = useNavigate();
  const { data, error, refetch } = useQuery(allLocks(search));
  const [open, setOpen] = useState<Lock | "new">();
  const close = (): void => setOpen(undefined);
  const may = useForbidden();
  const change = useCallback(
    (text: string) => void navigate({ to: "/locks", search: { search: text }, replace: true }),
    [navigate],
  );
  const withRemove: readonly Column<Lock>[] = [
    ...lockColumns,
    {
      heading: "Action",
      width: "6rem",
      cell: (lock) => (
        <Button
          look="quiet"
          forbidden={may("lock", "delete")}
          aria-label={`Remove the lock on ${targetOf(lock)}`}
          onClick={() => setOpen(lock)}
        >
          Remove
        </Button>
      ),
    },
  ];
  return (
    <>
      <div className="row apart">
        <Title text="Locks" />
        <Button look="main" forbidden={may("lock", "create")} onClick={() => setOpen("new")}>
          New lock
        </Button>
      </div>
      <Search label="Search by target, message or who made it" value={search} onChange={change} />
      {error ? (
        <Problem error={error} what="Viewing locks" retry={() => void refetch()} />
      ) : !data ? (
        <Loading />
      ) : (
        <>
          {data.more && (
            <Notice tone="soft">
              The first {MOST_SORTED.toLocaleString()} are shown; search for the others.
            </Notice>
          )}
          <Panel title="In force now" flush>
            {data.items.length === 0 ? (
              <Empty>{search === "" ? "Nothing is locked." : `Nothing matches “${search}”.`}</Empty>
            ) : (
              <Table
                label="Locks"
                columns={withRemove}
                rows={data.items}
                keyOf={({ name }) => name}
              />
            )}
          </Panel>
        </>
      )}
      {open === "new" && <NewLock onClose={close} />}
      {open !== undefined && open !== "new" && <Remove lock={open} onClose={close} />}
    </>
  );
}

function Remove({ lock, onClose }: { lock: Lock; onClose: () => void }): ReactElement {
  const act = useAct("lock", () => call("DELETE", `${site}/locks/${named(lock.name)}`), onClose);
  return (
    <ChangeDialog title="Remove this lock?" action="Remove" act={act} onClose={onClose}>
      <p>
        The lock on <bdi>{targetOf(lock)}</bdi> goes: what it cut off may connect again at once.
      </p>
    </ChangeDialog>
  );
}
