import { ResourceTemplate, type McpServer } from "@modelcontextprotocol/server";
import { LOG_LINES } from "./limits.ts";
import type { Session } from "./server.ts";

/** What an agent may read: the configuration that runs now, and the log. */
export function addResources(server: McpServer, { api }: Session): void {
  server.registerResource(
    "configuration",
    "tenon://bot/configuration",
    {
      title: "Configuration",
      description: "The configuration of the bot as it runs now, without secrets",
      mimeType: "application/yaml",
    },
    async ({ href }, { mcpReq: { signal } }) => {
      const text = await api.configuration({ signal, purpose: "mcp/configuration" });
      return { contents: [{ uri: href, mimeType: "application/yaml", text }] };
    },
  );
  const about = { description: `The last ${LOG_LINES} lines`, mimeType: "text/plain" };
  server.registerResource(
    "log",
    "tenon://bot/log",
    { title: "Log", ...about },
    async ({ href }, { mcpReq: { signal } }) => text(href, await tail({ signal })),
  );
  server.registerResource(
    "service log",
    new ResourceTemplate("tenon://bot/log/{service}", { list: undefined }),
    { title: "Log of one service", ...about },
    async ({ href }, { service }, { mcpReq: { signal } }) =>
      text(href, await tail({ signal, service: String(service) })),
  );

  const tail = async (wanted: { signal: AbortSignal; service?: string }): Promise<string> => {
    const { signal, service = "" } = wanted;
    const options = { signal, purpose: "mcp/log" };
    const lines = await Array.fromAsync(api.logs({ service, tail: LOG_LINES }, options));
    return lines.join("\n");
  };
}

const text = (uri: string, body: string) => ({
  contents: [{ uri, mimeType: "text/plain", text: body }],
});
