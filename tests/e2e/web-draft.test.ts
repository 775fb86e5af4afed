// What the form of the web page does to the text that was typed; no browser is needed for it.
import assert from "node:assert/strict";
import { suite, test } from "node:test";
import { treeOf } from "../../web/src/draft/tree.ts";

const text = `# who may
kind: role
metadata:
  name: x # its name
spec:
  allow:
    logins: # accounts
      - root # the boss
      - deploy
`;
const logins = ["spec", "allow", "logins"];

const changed = (from: string, path: readonly string[], value: unknown): string => {
  const tree = treeOf(from);
  assert.ok(tree);
  return tree.with(path, value);
};

suite("a draft that the form changes", () => {
  test("keeps its comments, its order, and those of the entries that stay", () => {
    const next = changed(text, logins, ["root", "ci", "yes", "1"]);
    assert.match(next, /^# who may\nkind: role\n/);
    assert.match(next, /name: x # its name/);
    assert.match(next, /- root # the boss\n {6}- ci\n/);
    assert.deepEqual(treeOf(next)?.get(logins), ["root", "ci", "yes", "1"]);
  });

  test("loses what was taken out, with what is left empty above, but not its sections", () => {
    const next = changed(text, logins, undefined);
    assert.equal(treeOf(next)?.get(["spec", "allow"]), undefined);
    assert.deepEqual(treeOf(next)?.get(["spec"]), {});
    assert.equal(changed(next, logins, undefined), next);
  });

  test("gets a place for what it has not yet, in block style", () => {
    assert.equal(changed("spec:\n", ["spec", "a", "b"], 1), "spec:\n  a:\n    b: 1\n");
    assert.equal(changed("spec: {}\n", ["spec", "a"], ["x"]), "spec:\n  a:\n    - x\n");
  });

  test("is written anew where an alias stands in the way, and says the same", () => {
    const next = changed("a: &x\n  k: 1\nspec: *x\n", ["spec", "k"], 2);
    assert.deepEqual([treeOf(next)?.get(["a", "k"]), treeOf(next)?.get(["spec", "k"])], [1, 2]);
  });

  test("quotes what YAML would read as something else, and keeps odd names as names", () => {
    const odd = Object.fromEntries([
      ["__proto__", ["a"]],
      ["null", ["true", "# no comment", "x: y", "\u202E"]],
    ]);
    const next = changed(text, ["spec", "allow", "node_labels"], odd);
    const read = treeOf(next)?.get(["spec", "allow", "node_labels"]);
    assert.deepEqual(Object.entries(read as object), Object.entries(odd));
    assert.equal(({} as { a?: unknown }).a, undefined);
  });

  test("cannot be shown as a form while its syntax is wrong", () => {
    for (const wrong of ["kind: [role\n", "a: 1\na: 2\n", "- a\n", ""])
      assert.equal(treeOf(wrong), undefined, wrong);
  });
});
