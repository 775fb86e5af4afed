import { Loading, Notice, Title } from "@tenon/ui";
import { useQuery } from "@tanstack/react-query";
import { useState, type ReactElement } from "react";
import { useForbidden } from "../api/access.ts";
import { Problem } from "../api/factor.tsx";
import { DraftEditor, type View } from "../draft/editor.tsx";
import { hasForm, wordsOf } from "../kinds.ts";
import type { ResourceProps } from "./page.tsx";
import { documentOf, writtenOf } from "./queries.ts";
import { isSecretName, titleOf } from "./title.ts";

/** Nobody writes what they could not save. */
export function EditResource(props: ResourceProps & { view: View }): ReactElement {
  const forbidden = useForbidden()(props.kind, "update");
  if (forbidden === undefined) return <Edit {...props} />;
  return (
    <>
      <Title text={props.id} />
      <Notice tone="soft">You may not change this: {forbidden}.</Notice>
    </>
  );
}

/** The document as it was when editing began: what others change meanwhile is found at saving. */
function Edit({ kind, id, view, onView }: ResourceProps & { view: View }): ReactElement {
  const document = useQuery({ ...documentOf(kind, id), refetchOnMount: "always" });
  const { data, error, refetch, isFetchedAfterMount } = useQuery({
    ...writtenOf(kind, id, "shown"),
    staleTime: Infinity,
    refetchOnMount: "always",
  });
  const [began, setBegan] = useState<{ yaml: string; revision: string; name: string }>();
  if (data && document.data && isFetchedAfterMount && !began)
    setBegan({ ...data, name: document.data.metadata.name });
  const problem = error ?? document.error;
  if (problem && !began)
    return (
      <>
        <Title text={id} />
        <Problem
          error={problem}
          what={`Changing this ${wordsOf(kind).one}`}
          retry={() => {
            void document.refetch();
            void refetch();
          }}
        />
      </>
    );
  if (!began || !document.data) return <Loading />;
  const { one } = wordsOf(kind);
  return (
    <>
      <Title text={`Edit ${one}${kind === "cluster_config" ? "" : ` ${titleOf(document.data)}`}`} />
      <DraftEditor
        kind={kind}
        id={id}
        yaml={began.yaml}
        revision={began.revision}
        name={began.name}
        action="Save"
        view={hasForm(kind) ? view : "yaml"}
        onView={onView}
        onSaved={() => onView("")}
        onCancel={() => onView("")}
        notice={
          isSecretName(document.data) && (
            <Notice tone="warn">
              The name of this token is its secret: whoever reads it here can join with it.
            </Notice>
          )
        }
      />
    </>
  );
}
