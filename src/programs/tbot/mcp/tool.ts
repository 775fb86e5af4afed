import { jsonSchemaOf, parseValue } from "#base/config";
import { messageOf } from "#base/kernel";
import type { BotApiClient, CallOptions } from "#services/bot-client";
import type { StandardSchemaWithJSON, ToolAnnotations } from "@modelcontextprotocol/server";
import type * as z from "zod";

/** What a tool works with during one call. */
export interface ToolCall {
  readonly api: BotApiClient;
  /** For every call of the bot: ends it with the tool's, and says for which tool it is. */
  readonly options: CallOptions & { readonly signal: AbortSignal };
}

export interface Outcome {
  readonly value: Readonly<Record<string, unknown>>;
  /** What was asked for did not come about. */
  readonly bad?: boolean;
}

/** One thing that an agent may ask for. */
export interface Tool<Input = never> {
  readonly name: string;
  readonly title: string;
  /** For the agent, which has nothing else to choose by. */
  readonly description: string;
  readonly input: z.ZodObject;
  readonly annotations: ToolAnnotations;
  call(input: Input, call: ToolCall): Promise<Outcome>;
}

/** Ties the input that a tool gets to its schema. */
export function defineTool<S extends z.ZodObject>(
  tool: Tool<z.output<S>> & { readonly input: S },
): Tool {
  return tool;
}

/** The input as the protocol's library takes a schema, read by the one parser of configurations. */
export function inputOf({ name, input }: Tool): StandardSchemaWithJSON<unknown, object> {
  return {
    "~standard": {
      version: 1,
      vendor: "tenon",
      validate: (value) => {
        try {
          return { value: parseValue({ value: value ?? {}, what: name, schema: input }) };
        } catch (error) {
          return { issues: [{ message: messageOf(error) }] };
        }
      },
      jsonSchema: { input: () => ({ ...jsonSchemaOf(input) }), output: () => ({}) },
    },
  };
}
