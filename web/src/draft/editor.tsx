import { Button, Loading, Notice, Tabs } from "@tenon/ui";
import {
  lazy,
  Suspense,
  useMemo,
  useRef,
  useState,
  type ReactElement,
  type ReactNode,
} from "react";
import { FactorNotice } from "../api/factor.tsx";
import type { Document } from "../api/types.ts";
import { messageOf } from "../api/client.ts";
import { formOf } from "../forms/forms.tsx";
import { nothingYet, useChecked, type Fault } from "./check.ts";
import { Faults } from "./faults.tsx";
import { AskBeforeLeaving } from "./leave.tsx";
import { Overtaken } from "./overtaken.tsx";
import { useSave } from "./save.ts";
import { treeOf } from "./tree.ts";
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
  const { kind, name, action, view, onView, onSaved, onCancel } = props;
  const [base, setBase] = useState({ yaml: props.yaml, revision: props.revision });
  const [text, setText] = useState(props.yaml);
  const [spot, setSpot] = useState<Fault>();
  const form = useRef<HTMLDivElement>(null);
  const done = useRef(false);
  const draft = { kind, yaml: text, name, revision: base.revision };
  const { checked: found, current, error } = useChecked(draft);
  const [tried, setTried] = useState(false);
  // Nobody is blamed for fields that they have not come to yet.
  const untouched = !tried && text === props.yaml;
  const checked = untouched ? nothingYet : found;
  const save = useSave(draft, (document) => {
    done.current = true;
    onSaved(document);
  });
  const overtaken = save.overtaken || checked.refused?.code === "compare_failed";
  const jump = (fault: Fault): void => {
    if (view === "form" && focusOn(form.current, fault.path)) return;
    setSpot({ ...fault });
    onView("yaml");
  };
  const start = (yaml: string, revision: string): void => {
    setBase({ yaml, revision });
    setText(yaml);
  };
  const Form = formOf(kind);
  const yaml = (
    <Suspense fallback={<Loading />}>
      <YamlEditor
        label={`YAML of this ${kind}`}
        value={text}
        marks={checked.faults}
        jump={spot}
        onChange={setText}
      />
    </Suspense>
  );
  return (
    <div className="stack">
      {props.notice}
      {Form ? (
        <Tabs
          label="How to write it"
          open={view}
          onOpen={(id) => {
            setSpot(undefined);
            onView(id === "yaml" ? "yaml" : "form");
          }}
          tabs={[
            {
              id: "form",
              title: "Form",
              content: (
                <div ref={form}>
                  <FormOrWhyNot
                    text={text}
                    Form={Form}
                    faults={checked.faults}
                    isNew={name === undefined}
                    onChange={setText}
                  />
                </div>
              ),
            },
            { id: "yaml", title: "YAML", content: yaml },
          ]}
        />
      ) : (
        yaml
      )}
      {error !== null && <Notice tone="bad">{messageOf(error)}</Notice>}
      {overtaken && name !== undefined && (
        <Overtaken
          kind={kind}
          name={props.id ?? name}
          mine={text}
          onTheirs={start}
          onMine={(revision) => setBase({ ...base, revision })}
        />
      )}
      <Faults checked={overtaken ? { ...checked, refused: undefined } : checked} onJump={jump} />
      {save.error !== undefined && <Notice tone="bad">{save.error}</Notice>}
      {save.requiresFactor && <FactorNotice what={action} onVerified={save.run} />}
      <div className="row sticky">
        <Button
          look="main"
          busy={save.busy}
          disabled={name !== undefined && text === base.yaml}
          onClick={() => {
            setTried(true);
            save.run();
          }}
        >
          {action}
        </Button>
        <Button look="quiet" onClick={onCancel}>
          Cancel
        </Button>
        <span className="soft" role="status">
          {stateOf({ current, faults: checked.faults.length, same: text === base.yaml })}
        </span>
      </div>
      <AskBeforeLeaving dirty={() => !done.current && text !== base.yaml} />
    </div>
  );
}

function stateOf(about: { current: boolean; faults: number; same: boolean }): string {
  if (about.same) return "";
  if (!about.current) return "Checking …";
  return about.faults === 0 ? "No faults found." : "";
}

function FormOrWhyNot({
  text,
  Form,
  onChange,
  ...rest
}: {
  text: string;
  Form: NonNullable<ReturnType<typeof formOf>>;
  faults: readonly Fault[];
  isNew: boolean;
  onChange: (text: string) => void;
}): ReactElement {
  const tree = useMemo(() => treeOf(text), [text]);
  if (tree === undefined)
    return (
      <Notice tone="warn">
        The YAML has a fault of syntax: the form can show it once that is mended there.
      </Notice>
    );
  return <Form {...rest} get={tree.get} set={(path, value) => onChange(tree.with(path, value))} />;
}

/** The field of a fault, or of what is nearest above it. */
function focusOn(form: HTMLElement | null, path: string): boolean {
  const fields = [...(form?.querySelectorAll<HTMLElement>("[data-path]") ?? [])];
  const above = fields.filter(({ dataset }) => isWithin(path, dataset["path"]!));
  const nearest = above.toSorted(
    (a, b) => b.dataset["path"]!.length - a.dataset["path"]!.length,
  )[0];
  const input = nearest?.querySelector<HTMLElement>("input, select, textarea, button");
  input?.focus();
  return input !== undefined && input !== null;
}

const isWithin = (path: string, field: string): boolean =>
  path === field || path.startsWith(`${field}.`) || path.startsWith(`${field}[`);
