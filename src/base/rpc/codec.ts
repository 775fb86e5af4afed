import { badParameter, internal } from "#base/kernel";
import {
  create,
  fromBinary,
  toBinary,
  type DescMessage,
  type MessageInitShape,
  type MessageShape,
} from "@bufbuild/protobuf";

/** Unknown fields are of no use here, and would be kept in memory. */
const READ = { readUnknownFields: false };

/** The bytes of a message, given as a message or as its fields. */
export function encode<D extends DescMessage>(schema: D, message: MessageInitShape<D>): Buffer {
  const bytes = toBinary(schema, create(schema, message));
  return Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);
}

/** A request as the caller sent it; `bad_parameter` when it is not one. */
export function decodeRequest<D extends DescMessage>(
  schema: D,
  bytes: Uint8Array,
): MessageShape<D> {
  try {
    return fromBinary(schema, bytes, READ);
  } catch (cause) {
    throw badParameter(`the request is not a valid ${schema.typeName}`, { cause });
  }
}

/** An answer; `internal` when the server sent something else. */
export function decodeResponse<D extends DescMessage>(
  schema: D,
  bytes: Uint8Array,
): MessageShape<D> {
  try {
    return fromBinary(schema, bytes, READ);
  } catch (cause) {
    throw internal(`the server's answer is not a valid ${schema.typeName}`, { cause });
  }
}

/** For the library, to which all messages are bytes. */
export const asBytes = (bytes: Buffer): Buffer => bytes;
