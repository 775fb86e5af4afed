import "./filters.css";
import { Button, PickOne } from "@tenon/ui";
import { useQuery } from "@tanstack/react-query";
import { useState, type ReactElement } from "react";
import { knownTypes, type EventFilter } from "../api/events.ts";
import { FilterField } from "./field.tsx";
import { TimeFilter } from "./time.tsx";

interface Props {
  readonly filter: EventFilter;
  readonly onChange: (filter: EventFilter) => void;
}

/** What the list is narrowed to; all of it stands in the address. */
export function EventFilters({ filter, onChange }: Props): ReactElement {
  const set = (part: EventFilter): void => onChange(given({ ...filter, ...part }));
  const narrowed = Object.keys(given(filter)).length > 0;
  return (
    <div className="filters" role="group" aria-label="Filters">
      <TimeFilter filter={filter} onChange={set} />
      <TypeFilter key={filter.type} value={filter.type ?? ""} onChange={(type) => set({ type })} />
      <FilterField label="Bot" value={filter.bot ?? ""} onChange={(bot) => set({ bot })} />
      <FilterField label="User" value={filter.user ?? ""} onChange={(user) => set({ user })} />
      <div className="field">
        <label htmlFor="outcome">Outcome</label>
        <select
          id="outcome"
          value={filter.code ?? ""}
          onChange={(event) => set({ code: event.target.value })}
        >
          <option value="">any</option>
          <option value="success">success</option>
          <option value="failure">failure</option>
        </select>
      </div>
      {filter.session && (
        <FilterField
          label="Session"
          value={filter.session}
          onChange={(session) => set({ session })}
        />
      )}
      {narrowed && (
        <Button look="quiet" onClick={() => onChange({})}>
          Clear all
        </Button>
      )}
    </div>
  );
}

/** Without what filters nothing. */
const given = (filter: EventFilter): EventFilter =>
  Object.fromEntries(Object.entries(filter).filter(([, value]) => value));

/** A type counts once it is one. */
function TypeFilter({
  value,
  onChange,
}: {
  value: string;
  onChange: (type: string) => void;
}): ReactElement {
  const { data = [] } = useQuery(knownTypes);
  const [text, setText] = useState(value);
  const change = (next: string): void => {
    setText(next);
    if (next !== value && (next === "" || data.some(({ type }) => type === next))) onChange(next);
  };
  return (
    <PickOne
      label="Type"
      placeholder="any"
      value={text}
      onChange={change}
      options={data.map(({ type }) => ({ id: type }))}
    />
  );
}
