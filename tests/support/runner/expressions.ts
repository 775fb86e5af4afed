// `${{ … }}`: names, texts, `==`, `!=`, `!`, `&&`, `||`, and how the job stands.

export interface Context {
  readonly values: Readonly<Record<string, unknown>>;
  readonly status: "success" | "failure" | "cancelled";
}

/** A text with every expression in it replaced by its value. */
export function expand(text: string, context: Context): string {
  return text.replaceAll(/\$\{\{(.*?)\}\}/gs, (_, expression: string) =>
    textOf(evaluate(expression, context)),
  );
}

/** Whether a step is to run; without a status function in it, only while nothing has failed. */
export function holds(condition: string, context: Context): boolean {
  const bare = /^\s*\$\{\{(.*)\}\}\s*$/s.exec(condition)?.[1] ?? condition;
  const asks = /\b(?:always|success|failure|cancelled)\(\)/.test(bare);
  return (asks || context.status === "success") && truth(evaluate(bare, context));
}

function evaluate(expression: string, context: Context): unknown {
  const [either, ...others] = expression.split("||");
  if (others.length > 0)
    return [either!, ...others]
      .map((part) => evaluate(part, context))
      .reduce((left, right) => (truth(left) ? left : right));
  const parts = expression.split("&&").map((part) => comparison(part.trim(), context));
  return parts.reduce((left, right) => (truth(left) ? right : left));
}

function comparison(text: string, context: Context): unknown {
  const [, left, sign, right] = /^(.+?)\s*(==|!=)\s*(.+)$/.exec(text) ?? [];
  if (left === undefined || right === undefined) return value(text, context);
  const equal = textOf(value(left, context)) === textOf(value(right, context));
  return sign === "==" ? equal : !equal;
}

function value(text: string, context: Context): unknown {
  if (text.startsWith("!")) return !truth(value(text.slice(1).trim(), context));
  if (/^'.*'$/s.test(text)) return text.slice(1, -1).replaceAll("''", "'");
  if (text === "always()") return true;
  const [, status] = /^(success|failure|cancelled)\(\)$/.exec(text) ?? [];
  if (status !== undefined) return context.status === status;
  return named(text, context.values);
}

/** `steps.x.outputs.y`; what is not there is empty, but its first name must be known. */
function named(text: string, values: Context["values"]): unknown {
  const [first = "", ...rest] = text.split(".");
  if (!/^[\w.-]+$/.test(text) || !Object.hasOwn(values, first))
    throw new Error(`this stand-in cannot evaluate "${text}"`);
  return rest.reduce<unknown>(
    (found, name) => (found as Record<string, unknown> | undefined)?.[name],
    values[first],
  );
}

const truth = (found: unknown): boolean => found !== undefined && found !== "" && found !== false;

function textOf(found: unknown): string {
  if (found === undefined) return "";
  return typeof found === "string" ? found : JSON.stringify(found);
}
