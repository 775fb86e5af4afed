import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { codeOf } from "#base/kernel";
import * as fc from "fast-check";
import { bitString, der, oid, sequence, tags, unsignedInteger } from "./der.ts";
import {
  booleanOf,
  DerReader,
  integerBytes,
  MAX_DER_BYTES,
  oidOf,
  readSingle,
  smallInteger,
  wholeBytes,
  type DerElement,
} from "./der-reader.ts";

const bytes = (hex: string): Buffer => Buffer.from(hex.replaceAll(" ", ""), "hex");
const badParameter = { code: "bad_parameter" };

describe("the DER writer", () => {
  const cases: readonly [string, Buffer, string][] = [
    ["a short length", der(tags.octetString, Buffer.alloc(2, 1)), "04 02 0101"],
    ["no content", sequence(), "30 00"],
    ["a positive integer with its high bit set", unsignedInteger(bytes("80")), "02 02 0080"],
    ["an integer with leading zeros", unsignedInteger(bytes("0000 7f")), "02 01 7f"],
    ["zero", unsignedInteger(bytes("00 00")), "02 01 00"],
    ["a bit string", bitString(bytes("ff")), "03 02 00ff"],
    ["an identifier", oid("1.2.840.10045.4.3.2"), "06 08 2a8648ce3d040302"],
    ["an identifier under 2", oid("2.999.3"), "06 03 883703"],
    ["an identifier with a UUID", oid("2.25.1"), "06 02 6901"],
  ];
  for (const [name, written, expected] of cases)
    it(`writes ${name}`, () => assert.equal(written.toString("hex"), expected.replaceAll(" ", "")));

  it("writes each length in the fewest bytes, and the reader takes it back", () => {
    for (const [length, header] of [
      [0, 2],
      [127, 2],
      [128, 3],
      [255, 3],
      [256, 4],
      [65_000, 4],
    ] as const) {
      const written = der(tags.octetString, Buffer.alloc(length, 7));
      assert.equal(written.length, header + length);
      assert.equal(readSingle(written, tags.octetString).content.length, length);
    }
  });
});

describe("the DER reader", () => {
  const refused: readonly [string, string][] = [
    ["nothing", ""],
    ["an identifier alone", "30"],
    ["a length beyond the end", "04 05 01"],
    ["bytes after the end", "04 01 01 00"],
    ["an indefinite length", "30 80 0000"],
    ["a long length that fits a short one", "04 81 01 01"],
    ["a length with a leading zero", `04 82 0080 ${"00".repeat(128)}`],
    ["a length of four bytes", "04 84 00000001 01"],
    ["an identifier of several bytes", "1f 81 01 00"],
  ];
  for (const [name, hex] of refused)
    it(`refuses ${name}`, () => assert.throws(() => readSingle(bytes(hex)), badParameter));

  const contents: readonly [string, (element: DerElement) => unknown, string][] = [
    ["an empty integer", integerBytes, "02 00"],
    ["an integer with a spare zero", integerBytes, "02 02 007f"],
    ["an integer with a spare sign", integerBytes, "02 02 ff80"],
    ["a negative small integer", smallInteger, "02 01 ff"],
    ["a small integer of five bytes", smallInteger, "02 05 0100000000"],
    ["a boolean of 1", booleanOf, "01 01 01"],
    ["an empty boolean", booleanOf, "01 00"],
    ["a bit string with unused bits", wholeBytes, "03 02 04f0"],
    ["an empty bit string", wholeBytes, "03 00"],
    ["an empty identifier", oidOf, "06 00"],
    ["an unfinished identifier", oidOf, "06 02 2a86"],
    ["an identifier with a padded arc", oidOf, "06 03 2a8001"],
    ["an identifier with an endless arc", oidOf, `06 19 2a ${"ff".repeat(23)} 7f`],
  ];
  for (const [name, read, hex] of contents)
    it(`refuses ${name}`, () => assert.throws(() => read(readSingle(bytes(hex))), badParameter));

  it("refuses a document over the limit, and one nested too deep", () => {
    assert.throws(() => readSingle(Buffer.alloc(MAX_DER_BYTES + 1)), badParameter);
    let nested = sequence();
    for (let level = 0; level < 20; level++) nested = sequence(nested);
    const descend = (reader: DerReader): void => descend(reader.enter());
    assert.throws(() => descend(DerReader.of(nested)), { message: /too deep/ });
  });

  it("refuses another type than the expected one", () => {
    assert.throws(() => DerReader.of(unsignedInteger(bytes("01"))).enter(), badParameter);
    assert.equal(DerReader.of(sequence()).optional(tags.integer), undefined);
  });

  it("reads back any identifier", () => {
    const arc = fc.bigInt({ min: 0n, max: (1n << 127n) - 1n });
    const dotted = fc
      .tuple(fc.constantFrom("0", "1"), fc.nat(39), fc.array(arc, { maxLength: 8 }))
      .map(([root, second, rest]) => [root, second, ...rest].join("."));
    fc.assert(fc.property(dotted, (text) => assert.equal(oidOf(readSingle(oid(text))), text)));
    assert.equal(oidOf(readSingle(oid("2.999.1"))), "2.999.1");
  });

  it("answers any bytes with an element or bad_parameter", () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 64 }), (input) => {
        try {
          const { raw } = readSingle(input);
          assert.deepEqual(Buffer.from(input), raw);
        } catch (error) {
          assert.equal(codeOf(error), "bad_parameter");
        }
      }),
    );
  });
});
