import assert from "node:assert/strict";
import { it, suite } from "node:test";
import { KnownDocuments } from "./known-documents.ts";

suite("known documents", () => {
  it("finds what was added, and nothing that differs in a character", () => {
    const known = new KnownDocuments();
    assert.equal(known.has("a.b.c"), false);
    known.add("a.b.c");
    assert.equal(known.has("a.b.c"), true);
    for (const other of ["", "a.b.d", "a.b.c ", "A.b.c", "a.b."])
      assert.equal(known.has(other), false, other);
  });

  it("keeps nearly all of a tenth of its places, and takes no more memory for more", () => {
    const known = new KnownDocuments();
    const documents = Array.from({ length: 100_000 }, (_, i) => `document ${i}`);
    for (const document of documents) known.add(document);
    const found = documents.filter((document) => known.has(document)).length;
    assert.ok(found > 90_000, `${found} are left`);
  });
});
