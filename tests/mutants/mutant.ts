/** A bug planted on purpose, and the tests that must notice it. */
export interface Mutant {
  /** What is wrong with it, as a sentence about the product. */
  readonly name: string;
  /** The step of join.md that it breaks. */
  readonly step: string;
  /** Below the root of the project. */
  readonly file: string;
  /** Stands in the file exactly once. */
  readonly find: string;
  readonly replace: string;
  /** Test files of `src/domain/join`, by their names, any of which must fail. */
  readonly by: readonly string[];
}
