import { OpenAPIHono, type z } from "@hono/zod-openapi";
import { badParameter } from "#base/kernel";
import { errorBody } from "./errors.ts";
import type { WebEnv } from "./parts.ts";

/** An application, or a part of one, whose endpoints are described by the schemas that check them. */
export const newApp = (): OpenAPIHono<WebEnv> =>
  new OpenAPIHono<WebEnv>({
    defaultHook: (result) => {
      if (result.success) return;
      const faults = result.error.issues.map(
        ({ path, message }) => `${path.length > 0 ? `${path.join(".")}: ` : ""}${message}`,
      );
      throw badParameter(faults.join("; "));
    },
  });

/** What an endpoint answers: this, or an error body. */
export const answers = <S extends z.ZodType>(description: string, schema: S) =>
  ({
    200: { description, content: { "application/json": { schema } } },
    default: { description: "refused", content: { "application/json": { schema: errorBody } } },
  }) as const;

export const takes = <S extends z.ZodType>(schema: S) =>
  ({ body: { required: true, content: { "application/json": { schema } } } }) as const;
