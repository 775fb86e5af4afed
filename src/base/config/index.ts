export { faultsOf, formatFault, type Fault } from "./faults.ts";
export { didYouMean, nearest } from "./nearest.ts";
export { parseTree, parseValue, parseYaml, parseYamlDocuments, type YamlSource } from "./parse.ts";
export { duration, durationMs, formatDuration, timestamp } from "./scalars.ts";
export { type FieldMeta } from "./shape.ts";
export { mergeTrees, valueTree, type Tree } from "./tree.ts";
