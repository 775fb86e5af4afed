import { Field, PickMany } from "@tenon/ui";
import { useQuery } from "@tanstack/react-query";
import type { ReactElement } from "react";
import { roleNames } from "../api/queries.ts";
import type { Trait } from "../api/types.ts";
import { Traits } from "./traits.tsx";

/** What can be changed of a bot, as it stands in the form. */
export interface Draft {
  readonly roles: readonly string[];
  readonly traits: readonly Trait[];
  readonly max_session_ttl: string;
}

export const freshDraft: Draft = { roles: [], traits: [], max_session_ttl: "12h" };

export const draftOf = ({ roles, traits, max_session_ttl }: Draft): Draft => ({
  roles,
  traits,
  max_session_ttl,
});

/** A trait without a name is a line that nobody filled in. */
export const specOf = (draft: Draft): Draft => ({
  ...draft,
  traits: draft.traits.filter(({ name }) => name.trim() !== ""),
});

/** A Go-like duration, as the cluster reads it: `43200s`, `30m`, `1h30m`. */
const DURATION = "([0-9]+(\\.[0-9]+)?(d|h|m|s|ms))+";

export function BotFields({
  draft,
  onChange,
}: {
  draft: Draft;
  onChange: (draft: Draft) => void;
}): ReactElement {
  const known = useQuery(roleNames);
  return (
    <>
      <PickMany
        label="Roles"
        hint="what the bot may do"
        placeholder="Add a role"
        options={known.data ?? []}
        value={draft.roles}
        onChange={(roles) => onChange({ ...draft, roles })}
      />
      <Traits value={draft.traits} onChange={(traits) => onChange({ ...draft, traits })} />
      <Field
        label="Longest session"
        hint="such as 43200s, 30m or 3h"
        pattern={DURATION}
        title="a number and s, m, h or d, such as 43200s, 30m or 3h"
        value={draft.max_session_ttl}
        onChange={(event) => onChange({ ...draft, max_session_ttl: event.target.value })}
        required
      />
    </>
  );
}
