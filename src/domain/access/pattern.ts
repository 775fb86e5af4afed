import { templateOf, type Traits } from "#domain/resources";

/** The texts between the stars of a pattern: `prod-*-eu` is `["prod-", "-eu"]`. */
type Segments = readonly string[];

/**
 * Whether `value` fits one of the patterns, where `*` stands for any text and `{{internal.x}}` for
 * each value of the trait. What comes from a trait is taken literally: a `*` in it is only a star.
 */
export function fitsAny(patterns: readonly string[], traits: Traits, value: string): boolean {
  return patterns.some((pattern) =>
    expansions(pattern, traits).some((segments) => fits(segments, value)),
  );
}

/** The texts of patterns, in which a star is only a star, with the traits filled in. */
export function expandAll(patterns: readonly string[], traits: Traits): readonly string[] {
  return patterns.flatMap((pattern) => {
    const template = templateOf(pattern);
    if (!template) return [pattern];
    return valuesOf(traits, template.trait).map(
      (value) => `${template.before}${value}${template.after}`,
    );
  });
}

function expansions(pattern: string, traits: Traits): readonly Segments[] {
  const template = templateOf(pattern);
  if (!template) return [pattern.split("*")];
  const before = template.before.split("*");
  const [after, ...rest] = template.after.split("*");
  return valuesOf(traits, template.trait).map((value) => [
    ...before.slice(0, -1),
    `${before.at(-1)}${value}${after}`,
    ...rest,
  ]);
}

const valuesOf = (traits: Traits, name: string): readonly string[] =>
  Object.hasOwn(traits, name) ? traits[name]! : [];

/** Each middle segment is taken at its first place: no backtracking, whatever the pattern. */
function fits(segments: Segments, value: string): boolean {
  const first = segments[0]!;
  if (segments.length === 1) return value === first;
  const last = segments.at(-1)!;
  const end = value.length - last.length;
  if (end < first.length || !value.startsWith(first) || !value.endsWith(last)) return false;
  let at = first.length;
  for (const segment of segments.slice(1, -1)) {
    const place = value.indexOf(segment, at);
    if (place === -1 || place + segment.length > end) return false;
    at = place + segment.length;
  }
  return true;
}
