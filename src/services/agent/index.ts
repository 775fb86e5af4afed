export type { AgentApp } from "./app/agent-app.ts";
export { AppAgent, type AppAgentOptions } from "./app-agent.ts";
export type { AgentStatus } from "./duties.ts";
