import { Button, Loading, Notice, Tabs } from "@tenon/ui";
import { lazy, Suspense, useRef, useState, type ReactElement, type ReactNode } from "react";
import { messageOf } from "../api/client.ts";
import { FactorNotice } from "../api/factor.tsx";
import type { Document } from "../api/types.ts";
import { formOf } from "../forms/forms.tsx";
import type { Fault } from "./check.ts";
import { Faults } from "./faults.tsx";
import { focusOn, FormView } from "./form-view.tsx";
import { AskBeforeLeaving } from "./leave.tsx";
import { Overtaken } from "./overtaken.tsx";
import { useDraft, type Drafted } from "./use-draft.ts";
import "./draft.css";

const YamlEditor = lazy(async () => ({
  default: (await import("../editor/yaml-editor.tsx")).YamlEditor,
}));

export type View = "form" | "yaml";

export interface DraftEditorProps {
  readonly kind: string;
  readonly yaml: string;
  /** Of the document that is changed; without them a new one is made. */
  readonly name?: string;
  readonly revision?: string;
  /** What its address calls it. */
  readonly id?: string;
  readonly action: string;
  readonly view: View;
  readonly notice?: ReactNode;
  readonly onView: (view: View) => void;
  readonly onSaved: (document: Document) => void;
  readonly onCancel: () => void;
}

/** One draft, as a form and as YAML: both change the same text, so that neither loses anything. */
export function DraftEditor(props: DraftEditorProps): ReactElement {
  const { kind, name, action } = props;
  const draft = useDraft(props, props.onSaved);
  const { text, checked, save } = draft;
  const [spot, setSpot] = useState<Fault>();
  const form = useRef<HTMLDivElement>(null);
  const jump = (fault: Fault): void => {
    if (props.view === "form" && focusOn(form.current, fault.path)) return;
    setSpot({ ...fault });
    props.onView("yaml");
  };
  const turn = (id: string): void => {
    setSpot(undefined);
    props.onView(id === "yaml" ? "yaml" : "form");
  };
  const Form = formOf(kind);
  const about = { text, faults: checked.faults, isNew: name === undefined };
  const yaml = (
    <Suspense fallback={<Loading />}>
      <YamlEditor
        label={`YAML of this ${kind}`}
        value={text}
        marks={checked.faults}
        jump={spot}
        onChange={draft.setText}
      />
    </Suspense>
  );
  const asForm = Form && (
    <div ref={form}>
      <FormView {...about} Form={Form} onChange={draft.setText} />
    </div>
  );
  const tabs = [
    { id: "form", title: "Form", content: asForm },
    { id: "yaml", title: "YAML", content: yaml },
  ];
  return (
    <div className="stack">
      {props.notice}
      {Form ? <Tabs label="How to write it" open={props.view} onOpen={turn} tabs={tabs} /> : yaml}
      {draft.error !== null && <Notice tone="bad">{messageOf(draft.error)}</Notice>}
      {save.overtaken && name !== undefined && (
        <Overtaken
          kind={kind}
          name={props.id ?? name}
          mine={text}
          onTheirs={(theirs, revision) => draft.rebase(revision, theirs)}
          onMine={(revision) => draft.rebase(revision)}
        />
      )}
      <Faults checked={checked} onJump={jump} />
      {save.error !== undefined && <Notice tone="bad">{save.error}</Notice>}
      {save.requiresFactor && <FactorNotice what={action} onVerified={save.run} />}
      <div className="row sticky">
        <Button
          look="main"
          busy={save.busy}
          disabled={name !== undefined && draft.same}
          onClick={save.run}
        >
          {action}
        </Button>
        <Button look="quiet" onClick={props.onCancel}>
          Cancel
        </Button>
        <span className="soft" role="status">
          {stateOf(draft)}
        </span>
      </div>
      <AskBeforeLeaving dirty={draft.isDirty} />
    </div>
  );
}

function stateOf({ same, current, checked }: Drafted): string {
  if (same) return "";
  if (!current) return "Checking …";
  return checked.faults.length === 0 ? "No faults found." : "";
}
