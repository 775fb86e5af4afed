import { badParameter } from "#base/kernel";

/** `::name key=value::data`, as the runner reads it in what an action prints. */
export function workflowCommand(
  name: string,
  data: string,
  properties: Readonly<Record<string, string>> = {},
): string {
  const words = Object.entries(properties).map(([key, value]) => `${key}=${ofProperty(value)}`);
  return `::${[name, words.join(",")].filter(Boolean).join(" ")}::${ofData(data)}\n`;
}

/** One entry of the files for outputs, variables and state; `delimiter` must be new each time. */
export function fileEntry(name: string, value: string, delimiter: string): string {
  if ([name, value].some((text) => text.includes(delimiter)))
    throw badParameter(`the value of "${name}" holds the delimiter that should end it`);
  return `${name}<<${delimiter}\n${value}\n${delimiter}\n`;
}

const ofData = (text: string): string =>
  text.replaceAll("%", "%25").replaceAll("\r", "%0D").replaceAll("\n", "%0A");

const ofProperty = (text: string): string =>
  ofData(text).replaceAll(":", "%3A").replaceAll(",", "%2C");
