import { Button } from "@tenon/ui";
import { Link } from "@tanstack/react-router";
import { useState, type ReactElement } from "react";
import { useForbidden } from "../api/access.ts";
import type { Document } from "../api/types.ts";
import type { View } from "../draft/editor.tsx";
import { hasForm, wordsOf } from "../kinds.ts";
import { NewLock } from "../locks/new.tsx";
import { Invite } from "../people/invite.tsx";
import { ResetKey } from "../tokens/reset.tsx";
import { DeleteResource } from "./delete.tsx";
import { lockTargetOf } from "./locked.tsx";
import { titleOf } from "./title.ts";
import { botOf } from "./user.tsx";

interface Props {
  readonly document: Document;
  readonly id: string;
  readonly onView: (view: View) => void;
}

type Open = "delete" | "lock" | "invite" | "recovery" | "reset";

/** What the viewer may do with it; what the roles do not allow says so. */
export function Actions({ document, id, onView }: Props): ReactElement {
  const { kind } = document;
  const may = useForbidden();
  const [open, setOpen] = useState<Open>();
  const close = (): void => setOpen(undefined);
  const target = lockTargetOf(document);
  const owner = kind === "user" || kind === "role" ? botOf({ document }) : undefined;
  const here = wordsOf(kind).written === "here";
  const why = here
    ? owner === undefined
      ? undefined
      : `belongs to bot ${owner}: change the bot`
    : "is written by the cluster itself";
  const forms = hasForm(kind) ? "form" : "yaml";
  return (
    <div className="row">
      {kind === "bot" && (
        <Link className="button" to="/bots/$name" params={{ name: document.metadata.name }}>
          The bot’s page
        </Link>
      )}
      <Button forbidden={why ?? may(kind, "update")} onClick={() => onView(forms)}>
        Edit
      </Button>
      {kind === "user" && owner === undefined && (
        <>
          <Button forbidden={may("user", "update")} onClick={() => setOpen("invite")}>
            Invite
          </Button>
          <Button forbidden={may("user", "update")} onClick={() => setOpen("recovery")}>
            Reset sign-in
          </Button>
        </>
      )}
      {kind === "token" && document.spec["join_method"] === "bound_keypair" && (
        <Button forbidden={may("token", "update")} onClick={() => setOpen("reset")}>
          Reset
        </Button>
      )}
      {target && (
        <Button forbidden={may("lock", "create")} onClick={() => setOpen("lock")}>
          {kind === "app" ? "Lock its agent" : "Lock"}
        </Button>
      )}
      {kind !== "cluster_config" && (
        <Button
          look="danger"
          forbidden={why ?? may(kind, "delete")}
          onClick={() => setOpen("delete")}
        >
          Delete
        </Button>
      )}
      {open === "delete" && <DeleteResource document={document} id={id} onClose={close} />}
      {open === "reset" && <ResetKey id={id} onClose={close} />}
      {open === "lock" && target && (
        <NewLock
          on={target}
          what={kind === "app" ? `the agent of ${titleOf(document)}` : undefined}
          onClose={close}
        />
      )}
      {(open === "invite" || open === "recovery") && (
        <Invite user={document.metadata.name} recovery={open === "recovery"} onClose={close} />
      )}
    </div>
  );
}
