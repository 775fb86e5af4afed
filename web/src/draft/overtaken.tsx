import { Button, Notice } from "@tenon/ui";
import { useQuery } from "@tanstack/react-query";
import type { ReactElement } from "react";
import { Problem } from "../api/factor.tsx";
import { writtenOf } from "../resource/queries.ts";

/** Somebody else was first: what is there now, beside what was typed. */
export function Overtaken(props: {
  kind: string;
  name: string;
  mine: string;
  onTheirs: (yaml: string, revision: string) => void;
  onMine: (revision: string) => void;
}): ReactElement {
  const { kind, name, mine, onTheirs, onMine } = props;
  const { data, error, refetch } = useQuery({
    ...writtenOf(kind, name, "shown"),
    staleTime: 0,
  });
  return (
    <Notice tone="warn">
      <p>
        <strong>Somebody else changed it while you were at it.</strong> Nothing was written, and
        what you typed is kept.
      </p>
      {error && <Problem error={error} what="Viewing it" retry={() => void refetch()} />}
      {data && (
        <>
          <div className="beside">
            <section aria-label="As it is now">
              <h3>As it is now</h3>
              <Text text={data.yaml} other={mine} />
            </section>
            <section aria-label="As you typed it">
              <h3>As you typed it</h3>
              <Text text={mine} other={data.yaml} />
            </section>
          </div>
          <div className="row">
            <Button onClick={() => onTheirs(data.yaml, data.revision)}>
              Go on with what is there now
            </Button>
            <Button look="danger" onClick={() => onMine(data.revision)}>
              Keep mine, to be saved over it
            </Button>
          </div>
        </>
      )}
    </Notice>
  );
}

/** Lines that the other text does not have stand out. */
function Text({ text, other }: { text: string; other: string }): ReactElement {
  const known = new Set(other.split("\n"));
  return (
    <pre className="compared" tabIndex={0}>
      {text.split("\n").map((line, index) => (
        // oxlint-disable-next-line react/no-array-index-key -- lines of one text, which never move.
        <span key={index} className={known.has(line) ? "" : "differs"}>
          <bdi>{line}</bdi>
          {"\n"}
        </span>
      ))}
    </pre>
  );
}
