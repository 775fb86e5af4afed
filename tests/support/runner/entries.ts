// The files by which a step tells its runner of outputs, variables and state.

/** `NAME=VALUE`, or `NAME<<DELIMITER`, lines, `DELIMITER`; throws where a runner fails the step. */
export function parseEntries(text: string): Record<string, string> {
  const entries: Record<string, string> = {};
  const lines = text.split("\n");
  if (lines.at(-1) === "") lines.pop();
  while (lines.length > 0) {
    const line = lines.shift()!;
    if (line === "") continue;
    const [, name, sign, rest = ""] = /^(.*?)(=|<<)(.*)$/.exec(line) ?? [];
    if (!name) throw new Error(`the runner cannot read the line "${line}"`);
    entries[name] = sign === "=" ? rest : heredoc(lines, rest);
  }
  return entries;
}

function heredoc(lines: string[], delimiter: string): string {
  const end = lines.indexOf(delimiter);
  if (delimiter === "" || end < 0) throw new Error(`nothing ends with the line "${delimiter}"`);
  return lines
    .splice(0, end + 1)
    .slice(0, -1)
    .join("\n");
}
