import { Field } from "@tenon/ui";
import type { ReactElement } from "react";

/** A password to choose; the cluster has the last word on it. */
export const NewPassword = (about: {
  value: string;
  onChange: (password: string) => void;
  autoFocus?: boolean;
}): ReactElement => (
  <Field
    label="New password"
    hint="at least 12 characters; a few words will do"
    type="password"
    autoComplete="new-password"
    minLength={12}
    value={about.value}
    onChange={(event) => about.onChange(event.target.value)}
    required
    autoFocus={about.autoFocus ?? false}
  />
);
