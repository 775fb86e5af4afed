import { defaultKeymap, history, historyKeymap } from "@codemirror/commands";
import { yaml } from "@codemirror/lang-yaml";
import { bracketMatching, indentOnInput, syntaxHighlighting } from "@codemirror/language";
import { lintGutter, setDiagnostics, type Diagnostic } from "@codemirror/lint";
import { EditorState, type Text } from "@codemirror/state";
import {
  drawSelection,
  EditorView,
  highlightActiveLine,
  highlightActiveLineGutter,
  highlightSpecialChars,
  keymap,
  lineNumbers,
} from "@codemirror/view";
import { colours, look } from "./look.ts";

/** Something to mark in the text; both numbers from 1. */
export interface Mark {
  readonly line: number;
  readonly column: number;
  readonly message: string;
}

export interface Editor {
  readonly show: (text: string) => void;
  readonly mark: (marks: readonly Mark[]) => void;
  readonly goTo: (place: { readonly line: number; readonly column: number }) => void;
  readonly close: () => void;
}

/**
 * The editor lives in a shadow root: there it takes its styles as constructed sheets, where in the
 * page itself it would write a `<style>`, which our Content-Security-Policy refuses.
 */
export function openEditor(
  place: HTMLElement,
  { label, onChange }: { label: string; onChange: (text: string) => void },
): Editor {
  const root = place.shadowRoot ?? place.attachShadow({ mode: "open" });
  const view = new EditorView({ root, parent: root, state: stateOf(label, onChange) });
  return {
    show: (text) => replace(view, text),
    mark: (marks) => view.dispatch(setDiagnostics(view.state, diagnosticsOf(view, marks))),
    goTo: ({ line, column }) => {
      const anchor = offsetOf(view.state.doc, line, column);
      view.dispatch({ selection: { anchor }, scrollIntoView: true });
      view.focus();
    },
    close: () => view.destroy(),
  };
}

const stateOf = (label: string, onChange: (text: string) => void): EditorState =>
  EditorState.create({
    extensions: [
      lineNumbers(),
      highlightActiveLine(),
      highlightActiveLineGutter(),
      // Shows what is invisible or turns the direction of writing, such as U+202E, as a mark.
      highlightSpecialChars(),
      drawSelection(),
      history(),
      indentOnInput(),
      bracketMatching(),
      yaml(),
      syntaxHighlighting(colours),
      look,
      lintGutter(),
      keymap.of([...defaultKeymap, ...historyKeymap]),
      EditorView.contentAttributes.of({ "aria-label": label, spellcheck: "false" }),
      EditorView.updateListener.of(({ docChanged, state, transactions }) => {
        const own = transactions.every((each) => each.isUserEvent("draft"));
        if (docChanged && !own) onChange(state.doc.toString());
      }),
    ],
  });

/** Only what differs is replaced, so that the cursor stays where it was. */
function replace(view: EditorView, text: string): void {
  const now = view.state.doc.toString();
  if (now === text) return;
  let from = 0;
  while (from < now.length && now[from] === text[from]) from++;
  let [end, to] = [now.length, text.length];
  while (end > from && to > from && now[end - 1] === text[to - 1]) [end, to] = [end - 1, to - 1];
  view.dispatch({ changes: { from, to: end, insert: text.slice(from, to) }, userEvent: "draft" });
}

const diagnosticsOf = (view: EditorView, marks: readonly Mark[]): Diagnostic[] =>
  marks.map(({ line, column, message }) => {
    const from = offsetOf(view.state.doc, line, column);
    const rest = view.state.doc.lineAt(from).to;
    const word = /^[^\s:]+/.exec(view.state.doc.sliceString(from, rest))?.[0].length ?? 0;
    return { from, to: Math.min(rest, from + word), severity: "error", message };
  });

function offsetOf(text: Text, line: number, column: number): number {
  const { from, to } = text.line(Math.min(Math.max(line, 1), text.lines));
  return Math.min(from + column - 1, to);
}
