export { faultsOf, formatFault, type Fault } from "./faults.ts";
export {
  attributeOf,
  environmentTree,
  flagTree,
  valueFromFlags,
  type FlagOptions,
} from "./flag-values.ts";
export { addFlags, flagsOf, type Flag, type FlagKind } from "./flags.ts";
export { jsonSchemaOf } from "./json-schema.ts";
export { didYouMean, nearest } from "./nearest.ts";
export { parseTree, parseValue, parseYaml, parseYamlDocuments, type YamlSource } from "./parse.ts";
export { placeOf } from "./place-of.ts";
export { withoutSecrets, yamlOf, yamlOfAll } from "./print.ts";
export { decodeYaml, readYaml } from "./read.ts";
export { referenceOf, sentence } from "./reference.ts";
export { omitSecrets, withAbsolutePaths } from "./rewrite.ts";
export { duration, durationMs, formatDuration, timestamp } from "./scalars.ts";
export { type FieldMeta } from "./shape.ts";
export { mergeTrees, valueTree, type Place, type Tree } from "./tree.ts";
export { MAX_YAML_BYTES, yamlTrees } from "./yaml-tree.ts";
