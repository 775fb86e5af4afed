import { exceptions } from "./exceptions.ts";
import type { Mutant } from "./mutant.ts";
import { steps } from "./steps.ts";

export const mutants: readonly Mutant[] = [...steps, ...exceptions];
