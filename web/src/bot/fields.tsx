import { Field, TextField } from "@tenon/ui";
import type { ReactElement } from "react";
import type { Trait } from "../api/types.ts";

/** What can be changed of a bot, as it stands in the form. */
export interface Draft {
  readonly roles: string;
  readonly traits: string;
  readonly max_session_ttl: string;
}

const words = (text: string): string[] =>
  text
    .split(/[\s,]+/)
    .map((word) => word.trim())
    .filter((word) => word !== "");

export const draftOf = (bot: {
  roles: readonly string[];
  traits: readonly Trait[];
  max_session_ttl: string;
}): Draft => ({
  roles: bot.roles.join(", "),
  traits: bot.traits.map(({ name, values }) => `${name}: ${values.join(", ")}`).join("\n"),
  max_session_ttl: bot.max_session_ttl,
});

export const specOf = ({ roles, traits, max_session_ttl }: Draft) => ({
  roles: words(roles),
  traits: traits
    .split("\n")
    .filter((line) => line.trim() !== "")
    .map((line) => {
      const at = line.indexOf(":");
      const name = at < 0 ? line : line.slice(0, at);
      return { name: name.trim(), values: words(at < 0 ? "" : line.slice(at + 1)) };
    }),
  max_session_ttl,
});

export function BotFields({
  draft,
  onChange,
}: {
  draft: Draft;
  onChange: (draft: Draft) => void;
}): ReactElement {
  return (
    <>
      <Field
        label="Roles"
        hint="names, separated by commas"
        value={draft.roles}
        onChange={(event) => onChange({ ...draft, roles: event.target.value })}
      />
      <TextField
        label="Traits"
        hint="one each line: its name, a colon, its values"
        rows={3}
        className="mono"
        placeholder="logins: root, deploy"
        value={draft.traits}
        onChange={(event) => onChange({ ...draft, traits: event.target.value })}
      />
      <Field
        label="Longest session"
        hint="such as 43200s, 30m or 3h"
        value={draft.max_session_ttl}
        onChange={(event) => onChange({ ...draft, max_session_ttl: event.target.value })}
        required
      />
    </>
  );
}
