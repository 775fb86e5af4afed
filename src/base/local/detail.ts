import { CodedError } from "#base/kernel";
import {
  fromBinary,
  toBinary,
  toJson,
  type DescMessage,
  type JsonValue,
  type MessageShape,
} from "@bufbuild/protobuf";

/** A message that an error brings to its caller, as it travels. */
export interface Detail {
  readonly type: string;
  readonly value: Uint8Array;
  /** The same for people, in answers that are JSON. */
  readonly debug?: JsonValue;
}

/** Stands as the `cause` of a CodedError, which itself has no place for messages of an API. */
export class Details {
  readonly list: readonly Detail[];

  constructor(list: readonly Detail[]) {
    this.list = list;
  }
}

/** The same error, with a message for its caller. */
export function withDetail<D extends DescMessage>(
  error: CodedError,
  schema: D,
  message: MessageShape<D>,
): CodedError {
  const detail = {
    type: schema.typeName,
    value: toBinary(schema, message),
    debug: toJson(schema, message),
  };
  return new CodedError(error.code, error.message, {
    cause: new Details([...detailsOf(error), detail]),
    ...(error.detail === undefined ? {} : { detail: error.detail }),
  });
}

/** The message of this type that came with an error of a local API. */
export function detailOf<D extends DescMessage>(
  error: unknown,
  schema: D,
): MessageShape<D> | undefined {
  const found = detailsOf(error).find(({ type }) => type === schema.typeName);
  return found && fromBinary(schema, found.value);
}

export const detailsOf = (error: unknown): readonly Detail[] =>
  error instanceof CodedError && error.cause instanceof Details ? error.cause.list : [];
