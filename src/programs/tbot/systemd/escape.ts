import { badParameter } from "#base/kernel";

/**
 * A value of a unit file that is taken as it stands, but for `%n` and the like, which systemd expands
 * everywhere (systemd.unit(5), "Specifiers").
 */
export function plain(text: string): string {
  if (/\p{Cc}/u.test(text))
    throw badParameter(
      `${JSON.stringify(text)} holds a control character, which a unit file cannot; choose another path`,
    );
  return text.replaceAll("%", "%%");
}

/** One word of a value that is split at spaces (systemd.syntax(7), "Quoting"). */
export function word(text: string): string {
  const escaped = plain(text).replaceAll(/["\\]/g, "\\$&");
  return /[\s"'\\;]/.test(text) || text === "" ? `"${escaped}"` : escaped;
}

export const words = (list: readonly string[]): string => list.map(word).join(" ");

/** The words of a command; systemd takes no path of a program with these in it, however it is quoted. */
export function commandWords(command: readonly string[]): string {
  const [program = ""] = command;
  if (/["'\\]/.test(program))
    throw badParameter(
      `the program's path ${JSON.stringify(program)} holds a quote or a backslash, which systemd does not allow; give another with --tbot-path`,
    );
  return words(command);
}
