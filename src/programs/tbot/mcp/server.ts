import { CodedError, codeOf, messageOf, VERSION, type Logger } from "#base/kernel";
import type { BotApiClient } from "#services/bot-client";
import { McpServer, type CallToolResult } from "@modelcontextprotocol/server";
import { addResources } from "./resources.ts";
import { inputOf, type Outcome, type Tool, type ToolCall } from "./tool.ts";
import { toolsOf } from "./tools/index.ts";
import type { Issuing } from "./tools/issue-credential.ts";

export interface Session {
  readonly api: BotApiClient;
  /** Where there is a socket for credentials. */
  readonly issuing?: Issuing;
  readonly log: Logger;
}

const instructions =
  "A bot of this machine: it holds an identity, and runs services that write credentials or open tunnels. Find what it may reach with query_resources, start a service for it, and stop what you no longer need. Credentials are written to files and never shown.";

/** What an agent sees of a bot. */
export function createServer(session: Session): McpServer {
  const server = new McpServer({ name: "tbot", title: "tbot", version: VERSION }, { instructions });
  for (const tool of toolsOf(session.issuing)) addTool(server, tool, session);
  addResources(server, session);
  return server;
}

function addTool(server: McpServer, tool: Tool, session: Session): void {
  const { name, title, description, annotations } = tool;
  const config = { title, description, annotations, inputSchema: inputOf(tool) };
  server.registerTool(name, config, async (input, { mcpReq }) => {
    const options = { signal: mcpReq.signal, purpose: `mcp/${name}` };
    return await answered(tool, input, { session, call: { api: session.api, options } });
  });
}

/** What goes wrong is an answer too: the agent can mend what it asked for. */
async function answered(
  tool: Tool,
  input: unknown,
  { session, call }: { session: Session; call: ToolCall },
): Promise<CallToolResult> {
  const { log } = session;
  try {
    // The library has read the input with this tool's own schema.
    const outcome = await tool.call(input as never, call);
    log.info("answered", { tool: tool.name, ...(outcome.bad ? { outcome: "bad" } : {}) });
    return resultOf(outcome);
  } catch (error) {
    log.warn("refused", { tool: tool.name, error });
    if (!(error instanceof CodedError)) throw error;
    return resultOf({ value: { code: codeOf(error), error: messageOf(error) }, bad: true });
  }
}

function resultOf({ value, bad = false }: Outcome): CallToolResult {
  return {
    content: [{ type: "text", text: JSON.stringify(value, null, 2) }],
    structuredContent: { ...value },
    ...(bad ? { isError: true } : {}),
  };
}
