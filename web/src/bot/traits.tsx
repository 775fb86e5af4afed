import { Button, PickMany, PickOne } from "@tenon/ui";
import type { ReactElement } from "react";
import type { Trait } from "../api/types.ts";

/** What templates in roles, such as `{{internal.logins}}`, are mostly about; any other name is good too. */
const wellKnown = [
  { id: "logins", about: "accounts on SSH nodes" },
  { id: "kubernetes_groups", about: "groups in Kubernetes clusters" },
  { id: "db_names", about: "databases" },
  { id: "db_users", about: "accounts in databases" },
];

export function Traits({
  value,
  onChange,
}: {
  value: readonly Trait[];
  onChange: (traits: readonly Trait[]) => void;
}): ReactElement {
  const rest = wellKnown.filter(({ id }) => !value.some(({ name }) => name === id));
  return (
    <fieldset className="choice">
      <legend>Traits</legend>
      {value.map((trait, index) => (
        <TraitFields
          // A trait has no identity but its place while its name is being typed.
          // oxlint-disable-next-line react/no-array-index-key
          key={index}
          nth={index + 1}
          trait={trait}
          options={rest}
          onChange={(changed) => onChange(value.with(index, changed))}
          onRemove={() => onChange(value.toSpliced(index, 1))}
        />
      ))}
      <div>
        <Button onClick={() => onChange([...value, { name: "", values: [] }])}>Add a trait</Button>
      </div>
    </fieldset>
  );
}

const TraitFields = (about: {
  nth: number;
  trait: Trait;
  options: readonly { id: string; about: string }[];
  onChange: (trait: Trait) => void;
  onRemove: () => void;
}): ReactElement => {
  const { nth, trait, options, onChange, onRemove } = about;
  const what = trait.name === "" ? `trait ${nth}` : trait.name;
  return (
    <div className="trait">
      <PickOne
        label={`Name of trait ${nth}`}
        placeholder="logins"
        options={options}
        value={trait.name}
        onChange={(name) => onChange({ ...trait, name })}
      />
      <PickMany
        label={`Values of ${what}`}
        placeholder="Type one, then Enter"
        options={[]}
        value={trait.values}
        onChange={(values) => onChange({ ...trait, values })}
      />
      <Button look="quiet" aria-label={`Remove ${what}`} onClick={onRemove}>
        Remove
      </Button>
    </div>
  );
};
