import { useNavigate, useParams, useSearch } from "@tanstack/react-router";
import { useState, type ReactElement } from "react";
import { Notice, Title } from "@tenon/ui";
import { useForbidden } from "../api/access.ts";
import type { Document } from "../api/types.ts";
import { DraftEditor, type View } from "../draft/editor.tsx";
import { hasForm, wordsOf } from "../kinds.ts";
import { Invite } from "../people/invite.tsx";
import { skeletonOf } from "../resource/skeleton.ts";
import { listOf } from "../resource/links.tsx";
import { isSecretName } from "../resource/title.ts";

/** A new document of any kind that people write, as a form or as YAML. */
export function CreatePage(): ReactElement {
  const { kind } = useParams({ from: "/shell/create/$kind" });
  const { view, bot } = useSearch({ from: "/shell/create/$kind" });
  const navigate = useNavigate();
  const forbidden = useForbidden()(kind, "create");
  const [invited, setInvited] = useState<string>();
  const [yaml] = useState(() => skeletonOf(kind, bot));
  const { one } = wordsOf(kind);
  const show = (next: View): void =>
    void navigate({
      to: "/create/$kind",
      params: { kind },
      search: { view: next, bot },
      replace: true,
    });
  const open = ({ metadata }: Pick<Document, "metadata">): void =>
    void navigate({
      to: "/resources/$kind/$name",
      params: { kind, name: metadata.name },
      search: { view: "" },
    });
  const saved = (document: Document): void => {
    if (kind === "user") setInvited(document.metadata.name);
    else if (isSecretName(document)) void navigate({ to: "/tokens" });
    else if (kind === "token")
      void navigate({
        to: "/tokens/$name",
        params: { name: document.metadata.name },
        search: { view: "" },
      });
    else open(document);
  };
  return (
    <>
      <Title text={`New ${one}`} />
      {forbidden === undefined ? (
        <DraftEditor
          // Another kind is another draft.
          key={kind}
          kind={kind}
          yaml={yaml}
          action="Create"
          view={hasForm(kind) ? view || "form" : "yaml"}
          onView={show}
          onSaved={saved}
          onCancel={() => void navigate(listOf(kind))}
        />
      ) : (
        <Notice tone="soft">You may not make one: {forbidden}.</Notice>
      )}
      {invited !== undefined && (
        <Invite
          user={invited}
          recovery={false}
          onClose={() => open({ metadata: { name: invited } })}
        />
      )}
    </>
  );
}
