import { badParameter, type CodedError } from "#base/kernel";
import {
  isAlias,
  isMap,
  isPair,
  isScalar,
  isSeq,
  LineCounter,
  parseAllDocuments,
  type Alias,
  type Document,
  type Node,
  type Pair,
  type YAMLError,
  type YAMLMap,
} from "yaml";
import { faultsError, formatPath, type Fault } from "./faults.ts";
import { MAX_DEPTH, type Entry, type Path, type Place, type Tree } from "./tree.ts";

/** Far above any configuration that people write; parsing takes memory many times its size. */
export const MAX_YAML_BYTES = 1024 * 1024;
/** Values in one stream, aliases counted as often as they are used: an alias bomb ends here. */
export const MAX_YAML_NODES = 100_000;
/** What one batch of writes may hold. */
export const MAX_YAML_DOCUMENTS = 1_000;

/**
 * The documents of a YAML 1.2 stream with the place of every value. Throws one `bad_parameter` with
 * all faults of syntax, double names and limits; of what the values mean it knows nothing.
 */
export function yamlTrees(source: { text: string; file: string }, amount: "one" | "many"): Tree[] {
  const bytes = Buffer.byteLength(source.text);
  if (bytes > MAX_YAML_BYTES)
    throw badParameter(`${source.file} has ${bytes} bytes; at most ${MAX_YAML_BYTES} are allowed`);
  const reader = new Reader(source.file);
  const trees = reader.read(source.text, amount);
  if (reader.faults.length > 0) throw faultsError(source.file, reader.faults);
  if (trees.length === 0) throw badParameter(`${source.file} is empty`);
  return trees;
}

class Reader {
  readonly faults: Fault[] = [];
  readonly #file: string;
  readonly #lines = new LineCounter();
  #nodes = 0;
  /** What an alias may refer to: the library's own search walks the document for every alias. */
  #anchors = new Map<string, Node>();

  constructor(file: string) {
    this.#file = file;
  }

  read(text: string, amount: "one" | "many"): Tree[] {
    const documents = this.#parse(text);
    for (const document of documents) this.#checkSyntax(document);
    if (this.faults.length > 0) return [];
    const full = documents.filter((each) => !isEmpty(each.contents));
    if (amount === "one" && full.length > 1)
      this.#fault(full[1]!.range[0], [], "only one document is allowed in this file");
    if (full.length > MAX_YAML_DOCUMENTS)
      this.#fault(0, [], `has ${full.length} documents; at most ${MAX_YAML_DOCUMENTS} are allowed`);
    return this.faults.length > 0 ? [] : full.map((document) => this.#tree(document));
  }

  #parse(text: string): Document.Parsed[] {
    try {
      const documents = parseAllDocuments(text, {
        version: "1.2",
        uniqueKeys: false,
        prettyErrors: false,
        lineCounter: this.#lines,
        logLevel: "error",
      });
      return Array.isArray(documents) ? documents : [];
    } catch (error) {
      // The parser recurses into nested collections.
      if (!(error instanceof RangeError)) throw error;
      throw this.#tooDeep();
    }
  }

  #tree(document: Document.Parsed): Tree {
    this.#anchors = new Map();
    return this.#visit(document.contents, [], 0);
  }

  #visit(node: Node | null | undefined, path: Path, depth: number): Tree {
    const place = this.#place(node?.range?.[0] ?? 0);
    const empty: Tree = { kind: "scalar", place, value: null };
    if (!node) return empty;
    this.#nodes++;
    if (this.#nodes > MAX_YAML_NODES)
      return this.#stop(place, `has over ${MAX_YAML_NODES} values, aliases counted`);
    if (depth > MAX_DEPTH) return this.#stop(place, `is nested over ${MAX_DEPTH} levels deep`);
    if (isAlias(node)) return this.#resolve(node, path, depth);
    this.#remember(node);
    if (isMap(node)) return { kind: "map", place, entries: this.#entries(node, path, depth) };
    if (isSeq(node)) {
      const items = node.items.map((item, index) =>
        this.#visit(nodeOf(item), [...path, index], depth + 1),
      );
      return { kind: "list", place, items };
    }
    return isScalar(node) ? { kind: "scalar", place, value: node.value } : empty;
  }

  #resolve(alias: Alias, path: Path, depth: number): Tree {
    const target = this.#anchors.get(alias.source);
    const offset = alias.range?.[0] ?? 0;
    if (!target) this.#fault(offset, path, `refers to no anchor "&${alias.source}" before it`);
    return this.#visit(target, path, depth + 1);
  }

  #remember(node: Node): void {
    if ("anchor" in node && node.anchor) this.#anchors.set(node.anchor, node);
  }

  #entries(map: YAMLMap, path: Path, depth: number): Map<string, Entry> {
    const entries = new Map<string, Entry>();
    for (const pair of map.items as Pair<Node, Node | null>[]) {
      this.#remember(pair.key);
      const written = keyOf(pair.key);
      const at = pair.key.range?.[0] ?? 0;
      const place = this.#place(at);
      const earlier = written === undefined ? undefined : entries.get(written);
      if (written === undefined) this.#fault(at, path, "a name must be a plain word or a string");
      else if (earlier)
        this.#fault(at, [...path, written], `is written twice, first at ${earlier.place.text}`);
      else {
        const value = this.#visit(pair.value, [...path, written], depth + 1);
        entries.set(written, {
          written,
          place,
          value: isEmpty(pair.value) ? { ...value, place } : value,
        });
      }
    }
    return entries;
  }

  #checkSyntax(document: Document.Parsed): void {
    const problems = [...document.errors, ...document.warnings];
    if (problems.some((problem) => problem.code === "RESOURCE_EXHAUSTION")) throw this.#tooDeep();
    for (const { code, message, pos } of problems) {
      const words = syntaxWords[code] ?? firstLine(message);
      // What follows a slip of this kind are only its consequences.
      if (!this.faults.some(({ problem }) => problem === words)) this.#fault(pos[0], [], words);
    }
    if (document.directives.yaml.version !== "1.2")
      this.#fault(0, [], `YAML ${document.directives.yaml.version} is not read; only 1.2`);
  }

  #tooDeep(): CodedError {
    return badParameter(
      `${this.#file} is nested too deeply; at most ${MAX_DEPTH} levels are allowed`,
    );
  }

  #fault(offset: number, path: Path, problem: string): void {
    this.faults.push({ place: this.#place(offset), path: formatPath(path), problem });
  }

  /** Ends the reading: what a limit stops is not worth more faults. */
  #stop(place: Place, problem: string): never {
    throw faultsError(this.#file, [{ place, path: "", problem }]);
  }

  #place(offset: number): Place {
    const { line, col } = this.#lines.linePos(offset);
    return { text: `${this.#file}:${line}:${col}`, order: offset, line, column: col };
  }
}

const isEmpty = (node: Node | null): boolean =>
  !node || (isScalar(node) && node.value === null && !node.source);

const nodeOf = (item: unknown): Node | null => (isPair(item) ? null : (item as Node | null));

/** `1: x` and `true: x` name their field `1` and `true`, as written. */
function keyOf(key: Node): string | undefined {
  if (!isScalar(key)) return undefined;
  if (typeof key.value === "string") return key.value;
  return key.source === undefined || key.source === "" ? undefined : key.source;
}

const firstLine = (text: string): string => {
  const line = text.split("\n")[0]!.replace(/:?\s*$/, "");
  return line.charAt(0).toLowerCase() + line.slice(1);
};

const syntaxWords: Readonly<Partial<Record<YAMLError["code"], string>>> = {
  TAB_AS_INDENT: "a tab cannot indent YAML; use spaces",
  BAD_INDENT: "this line is indented differently from the ones it belongs to",
  MULTILINE_IMPLICIT_KEY: `this looks like a name without its ":"`,
  TAG_RESOLVE_FAILED: "a tag (!name) is not allowed",
};
