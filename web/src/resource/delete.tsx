import { useNavigate } from "@tanstack/react-router";
import type { ReactElement } from "react";
import { useAct } from "../act.ts";
import { call, named, query, site } from "../api/client.ts";
import type { Document } from "../api/types.ts";
import { ChangeDialog } from "../change-dialog.tsx";
import { wordsOf } from "../kinds.ts";
import { listOf } from "./links.tsx";
import { titleOf } from "./title.ts";

/** Refused when it was changed since it was read, and while something still needs it. */
export function DeleteResource({
  document,
  id,
  onClose,
}: {
  document: Document;
  id: string;
  onClose: () => void;
}): ReactElement {
  const { kind, metadata } = document;
  const navigate = useNavigate();
  const path = `${site}/resources/${named(kind, id)}${query({ revision: metadata.revision })}`;
  const act = useAct(
    kind,
    () => call("DELETE", path),
    () => void navigate(listOf(kind)),
  );
  return (
    <ChangeDialog
      title={`Delete ${wordsOf(kind).one} ${titleOf(document)}?`}
      action="Delete"
      danger
      act={act}
      onClose={onClose}
    >
      <p>{consequences[kind] ?? "This cannot be undone."}</p>
    </ChangeDialog>
  );
}

const consequences: Readonly<Record<string, string>> = {
  user: "The user, how the person signs in, and every session go. Certificates that were given stay good until they end: a lock cuts them off at once.",
  role: "This cannot be undone. A role that somebody still has stays.",
  token:
    "Nobody can join with it any more. Machines that have joined go on until they must join again.",
  bot: "Its user, its role, its join tokens and its instances go with it. Certificates that it holds stay good until they end.",
  lock: "What it cut off may connect again at once.",
};
