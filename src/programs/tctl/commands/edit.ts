import type { CommandIo } from "#base/cli";
import { faultsOf, formatFault, parseYaml, yamlOf, type Fault } from "#base/config";
import { badParameter, CodedError, codeOf, compareFailed, messageOf } from "#base/kernel";
import { kinds, type AnyResource } from "#domain/resources";
import type { Command } from "commander";
import { noFlags, onCluster, type Given } from "../action.ts";
import type { Cluster } from "../connect.ts";
import { getOne, toDocument } from "../documents.ts";
import { Draft } from "../edit/draft.ts";
import { editorOf, runEditor } from "../edit/editor.ts";
import { parseNamed, type Reference } from "../references.ts";

export function defineEdit(command: Command, io: CommandIo): void {
  command.argument("<resource>", "what to change, as kind/name");
  command.addHelpText("after", "\nThe editor is $VISUAL, $EDITOR or vi.");
  onCluster(command, io, { schema: noFlags, act: edit });
}

/**
 * Opens the resource in an editor until what it holds is accepted, or the person saves it unchanged.
 * It is written only over the revision that was read; whatever fails, the text stays in its file.
 */
async function edit({ cluster, args, io }: Given<object>): Promise<void> {
  const reference = parseNamed(args[0]!);
  const current = await getOne(cluster, reference.kind, reference.name);
  const name = `${reference.kind}-${reference.name}`;
  const draft = await Draft.open(name, textOf(current), io.env["TMPDIR"] || undefined);
  for (;;) {
    await keeping(draft, () => runEditor(editorOf(io.env), draft.file));
    if (!(await draft.read())) return await giveUp(draft, io);
    const faults = await keeping(draft, () => save(cluster, { reference, current, draft, io }));
    if (faults.length === 0) break;
    io.stderr.write(`${draft.file} is not valid yet; it opens again\n`);
    if (draft.attempts >= MAX_ATTEMPTS) return await giveUp(draft, io);
    await draft.reject(faults);
  }
  await draft.remove();
}

/** An editor that is a script may change the text for ever without mending it. */
const MAX_ATTEMPTS = 20;

interface Saving {
  readonly reference: Required<Reference>;
  readonly current: AnyResource;
  readonly draft: Draft;
  readonly io: CommandIo;
}

/** Writes the draft; gives what is wrong with it, and throws what editing cannot mend. */
async function save(
  cluster: Cluster,
  { reference, current, draft, io }: Saving,
): Promise<readonly string[]> {
  const { kind, name } = reference;
  try {
    const changed = parse(draft, current);
    const { revision } = current.metadata;
    const document = { ...changed, metadata: { ...changed.metadata, revision } };
    const { notices } = await cluster.resources.update({ documents: [toDocument(document)] });
    for (const notice of notices) io.stderr.write(`note: ${notice}\n`);
    io.stdout.write(`${kind}/${name} written\n`);
    return [];
  } catch (error) {
    if (codeOf(error) === "compare_failed")
      throw compareFailed(`someone else has changed ${kind}/${name} meanwhile`, { cause: error });
    if (codeOf(error) !== "bad_parameter") throw error;
    const faults = faultsOf(error);
    return faults.length > 0 ? faults.map((fault) => lineOf(fault)) : messageOf(error).split("\n");
  }
}

function parse(draft: Draft, { kind, metadata }: AnyResource): AnyResource {
  const source = { text: draft.text, file: "line" };
  const changed = parseYaml({ ...source, schema: kinds[kind].schema });
  if (changed.metadata.name !== metadata.name)
    throw badParameter(
      `metadata.name: must stay "${metadata.name}"; got "${changed.metadata.name}"`,
    );
  return changed;
}

/** `line 4: spec.rols: unknown field; …`: the place is in the text below the comments. */
const lineOf = (fault: Fault): string =>
  formatFault(fault).replace(/^line:(\d+):(\d+)/, (_, line) => `line ${line}`);

/** What the server owns is not for editing. */
function textOf({ kind, version, metadata, spec }: AnyResource): string {
  return yamlOf({ kind, version, metadata: { ...metadata, revision: undefined }, spec });
}

async function giveUp(draft: Draft, io: CommandIo): Promise<void> {
  if (draft.attempts === 0) {
    await draft.remove();
    io.stderr.write("nothing was changed\n");
    return;
  }
  throw badParameter(`nothing was written; your text is kept in ${draft.file}`);
}

/** Whatever goes wrong, the person is told where the text is. */
async function keeping<T>(draft: Draft, act: () => Promise<T>): Promise<T> {
  try {
    return await act();
  } catch (error) {
    const message = `${messageOf(error)}; your text is kept in ${draft.file}`;
    throw new CodedError(codeOf(error), message, { cause: error });
  }
}
