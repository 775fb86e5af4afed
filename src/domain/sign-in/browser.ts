/** What a browser calls itself, in words: `Firefox 128 on Linux`. It is a stranger's text. */
export async function browserOf(agent: string): Promise<string> {
  const { default: Bowser } = await import("bowser");
  const { browser, os } = Bowser.parse(agent === "" ? "unknown" : agent);
  const program = [browser.name, browser.version?.split(".", 1)[0]].filter(Boolean).join(" ");
  return [program || "a program", ...(os.name ? [`on ${os.name}`] : [])].join(" ");
}
