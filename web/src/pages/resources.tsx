import { Button, Panel, Title, type Sort } from "@tenon/ui";
import { useInfiniteQuery } from "@tanstack/react-query";
import { Link, useNavigate, useParams, useSearch } from "@tanstack/react-router";
import { useCallback, type ReactElement } from "react";
import { useForbidden } from "../api/access.ts";
import { resources } from "../api/queries.ts";
import { wordsOf } from "../kinds.ts";
import { List, Search } from "../list.tsx";
import { columnsOf } from "../resource/columns.tsx";

export function ResourcesPage(): ReactElement {
  const { kind } = useParams({ from: "/shell/resources/$kind" });
  const given = useSearch({ from: "/shell/resources/$kind" });
  const navigate = useNavigate();
  const result = useInfiniteQuery(resources(kind, given.search, given.order ?? ""));
  const change = useCallback(
    (search: typeof given) =>
      void navigate({ to: "/resources/$kind", params: { kind }, search, replace: true }),
    [navigate, kind],
  );
  const search = useCallback((text: string) => change({ ...given, search: text }), [change, given]);
  const sort = ({ descending }: Sort): void =>
    change({ search: given.search, ...(descending ? { order: "desc" } : {}) });
  const { many, one, written } = wordsOf(kind);
  return (
    <>
      <div className="row apart">
        <Title text={many} />
        {written === "here" && <Add kind={kind} one={one} />}
      </div>
      <Search label="Search by name, label or field" value={given.search} onChange={search} />
      <Panel title={`All ${many.charAt(0).toLowerCase()}${many.slice(1)}`} flush>
        <List
          label={many}
          result={result}
          columns={columnsOf(kind)}
          keyOf={({ metadata }) => metadata.name}
          sort={{ by: "name", descending: given.order === "desc" }}
          onSort={sort}
          empty={
            given.search === "" ? (
              <p>{emptyOf[kind] ?? "There is none yet."}</p>
            ) : (
              <>
                <p>Nothing matches “{given.search}”.</p>
                <Link
                  className="button"
                  to="/resources/$kind"
                  params={{ kind }}
                  search={{ search: "" }}
                >
                  Show all
                </Link>
              </>
            )
          }
        />
      </Panel>
    </>
  );
}

const emptyOf: Readonly<Record<string, string>> = {
  app: "No application is served: an agent announces its own, once tenon app start runs there.",
  node: "No node is known: bots and people reach machines by SSH that stand here.",
  db: "No database is known.",
  kube_cluster: "No Kubernetes cluster is known.",
};

function Add({ kind, one }: { kind: string; one: string }): ReactElement {
  const navigate = useNavigate();
  const forbidden = useForbidden()(kind, "create");
  return (
    <Button
      look="main"
      forbidden={forbidden}
      onClick={() =>
        void navigate({ to: "/create/$kind", params: { kind }, search: { view: "", bot: "" } })
      }
    >
      New {one}
    </Button>
  );
}
