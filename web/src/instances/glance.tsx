import { Bars, Panel, type Bar } from "@tenon/ui";
import { useQuery } from "@tanstack/react-query";
import type { ReactElement } from "react";
import { ApiError } from "../api/client.ts";
import { Problem } from "../api/factor.tsx";
import { instanceSummary } from "../api/queries.ts";
import type { InstanceSummary } from "../api/types.ts";
import { Health } from "../health.tsx";

type Counted = "version" | "health" | "os" | "join_method";
interface Filtering {
  readonly given: { readonly [K in Counted]?: string };
  /** An empty value lifts the filter. */
  readonly onFilter: (name: Counted, value: string) => void;
}

/** More would push the list out of sight; the choice beneath has them all. */
const SHOWN = 6;

/** How many instances run which version, and how they are: of all, whatever the list shows. */
export function AtAGlance(about: Filtering): ReactElement | null {
  const { data, error, refetch } = useQuery(instanceSummary);
  if (error instanceof ApiError && error.code !== "access_denied")
    return <Problem error={error} what="How instances are" retry={() => void refetch()} />;
  if (!data || data.total === 0) return null;
  return (
    <div className="columns">
      <Panel title={`Versions of ${data.total.toLocaleString("en")}`}>
        <Bars label="Versions" total={data.total} bars={barsOf(about, "version", data)} />
      </Panel>
      <Panel title="Health">
        <Bars label="Health" total={data.total} bars={barsOf(about, "health", data)} />
      </Panel>
    </div>
  );
}

function barsOf(
  { given, onFilter }: Filtering,
  field: "version" | "health",
  summary: InstanceSummary,
): readonly Bar[] {
  const values = summary[field];
  const shown = values.slice(0, SHOWN).map(({ value, count }): Bar => {
    const isOn = given[field] === value;
    return {
      key: `is ${value}`,
      name: field === "health" ? <Health state={value} /> : value,
      count,
      isOn,
      onPress: () => onFilter(field, isOn ? "" : value),
    };
  });
  const told = sum(values);
  const rest: readonly Bar[] = [
    { key: "others", name: "others", count: told - sum(values.slice(0, SHOWN)) },
    { key: "none", name: "not told", count: summary.total - told },
  ];
  return [...shown, ...rest.filter(({ count }) => count > 0)];
}

const sum = (values: readonly { readonly count: number }[]): number =>
  values.reduce((total, { count }) => total + count, 0);

const choices: readonly (readonly [Counted, string])[] = [
  ["version", "Version"],
  ["health", "Health"],
  ["os", "System"],
  ["join_method", "Join method"],
];

/** Any value that some instance has; and the one in the address bar, even when none has it any more. */
export function Choices({ given, onFilter }: Filtering): ReactElement {
  const { data } = useQuery(instanceSummary);
  return (
    <>
      {choices.map(([field, label]) => {
        const chosen = given[field] ?? "";
        const known = data?.[field].map(({ value }) => value) ?? [];
        const values = chosen === "" || known.includes(chosen) ? known : [chosen, ...known];
        return (
          <select
            key={field}
            className="button"
            aria-label={label}
            value={chosen}
            onChange={(event) => onFilter(field, event.target.value)}
          >
            <option value="">{label}: any</option>
            {values.map((value) => (
              <option key={value} value={value}>
                {value}
              </option>
            ))}
          </select>
        );
      })}
    </>
  );
}
