import type { ReactElement } from "react";
import type { Checked, Fault } from "./check.ts";

/** Everything that is wrong, in the order of the text; each leads to its place. */
export const Faults = ({
  checked: { faults, refused, notices },
  onJump,
}: {
  checked: Checked;
  onJump: (fault: Fault) => void;
}): ReactElement => (
  <div className="faults" role="status" aria-label="Faults">
    {faults.length > 0 && (
      <>
        <h3>{faults.length === 1 ? "One fault" : `${faults.length} faults`}</h3>
        <ul>
          {faults.map((fault) => (
            <li key={`${fault.line}:${fault.column}:${fault.path}:${fault.message}`}>
              <button type="button" className="fault" onClick={() => onJump(fault)}>
                <span className="number">line {fault.line}</span>
                <span>
                  {fault.path !== "" && <bdi className="mono">{fault.path}</bdi>}{" "}
                  <bdi>{fault.message}</bdi>
                </span>
              </button>
            </li>
          ))}
        </ul>
      </>
    )}
    {refused && <p className="bad">{refused.message}</p>}
    {notices.map((notice) => (
      <p key={notice} className="warn">
        <bdi>{notice}</bdi>
      </p>
    ))}
  </div>
);
