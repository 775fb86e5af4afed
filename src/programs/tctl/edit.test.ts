import { AdminCluster, type Ran } from "#testing/admin-cluster";
import { until } from "#testing/wait";
import assert from "node:assert/strict";
import { existsSync } from "node:fs";
import { readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { after, before, describe, it } from "node:test";
import { tctl } from "./program.ts";

describe("tctl with an editor", () => {
  let cluster: AdminCluster;
  before(async () => {
    cluster = await AdminCluster.open(tctl);
    await cluster.out("bots add robot --roles access");
  });
  after(async () => await cluster[Symbol.asyncDispose]());

  const ROLE = `kind: role
version: v1
metadata:
  name: NAME
spec:
  allow:
    logins: [root]
`;

  describe("tctl edit", () => {
    before(async () => {
      await cluster.out("create -f -", { stdin: ROLE.replace("NAME", "edited") });
    });

    /** An editor that is a shell script; `$1` is the file. */
    const edit = async (script: string, resource = "role/edited"): Promise<Ran> => {
      const editor = join(cluster.directory, "editor.sh");
      await writeFile(editor, `set -eu\n${script}\n`);
      return await cluster.run(`edit ${resource}`, {
        env: { EDITOR: `sh ${editor}`, TMPDIR: cluster.directory },
      });
    };
    const logins = async () =>
      (await cluster.resources.require("role", "edited")).spec.allow.logins.join();
    const keptIn = (ran: Ran): string => /kept in (\S+)/.exec(ran.err)?.[1] ?? assert.fail(ran.err);

    it("writes what was changed", async () => {
      const ran = await edit(`sed -i 's/- root/- admin/' "$1"`);
      assert.deepEqual([ran.code, ran.out], [0, "role/edited written\n"], ran.err);
      assert.equal(await logins(), "admin");
    });

    it("does nothing when nothing was changed", async () => {
      const { revision } = (await cluster.resources.require("role", "edited")).metadata;
      const ran = await edit("true");
      assert.deepEqual([ran.code, ran.err], [0, "nothing was changed\n"]);
      assert.equal((await cluster.resources.require("role", "edited")).metadata.revision, revision);
    });

    it("shows neither status nor revision", async () => {
      const copy = join(cluster.directory, "copy");
      await edit(`cp "$1" ${copy}`, "bot/robot");
      assert.doesNotMatch(await readFile(copy, "utf8"), /status|revision/);
    });

    it("opens again with the faults above the text, until it is valid", async () => {
      const seen = join(cluster.directory, "seen");
      const ran = await edit(`
if grep -q '^#! ' "$1"; then cp "$1" ${seen}; sed -i 's/logns/logins/; s/- admin/- fixed/' "$1"
else sed -i 's/logins/logns/' "$1"; fi`);
      assert.equal(ran.code, 0, ran.err);
      assert.match(
        await readFile(seen, "utf8"),
        /^#! Not written, because:\n#! {3}line \d+: spec\.allow\.logns: unknown field; did you mean "logins"\?/,
      );
      assert.equal(await logins(), "fixed");
    });

    it("opens again with what the server refuses", async () => {
      const ran = await edit(
        `grep -q '^#! ' "$1" || sed -i 's/- bot-robot/- editor/' "$1"`,
        "user/bot-robot",
      );
      assert.equal(ran.code, 1);
      assert.match(await readFile(keptIn(ran), "utf8"), /^#! .*\n#! {3}.*belongs to bot "robot"/);
    });

    it("gives up with a script that never mends it", async () => {
      const ran = await edit(
        `echo "mine: 3" >> "$1"; sed -i '0,/mine/s/mine/mine/' "$1"; date >> "$1"`,
      );
      assert.equal(ran.code, 1);
      assert.match(ran.err, /your text is kept in/);
    });

    it("keeps the text when the person gives up", async () => {
      const ran = await edit(`grep -q '^#! ' "$1" || echo "mine: 1" >> "$1"`);
      assert.equal(ran.code, 1);
      assert.match(await readFile(keptIn(ran), "utf8"), /mine: 1/);
      assert.equal(await logins(), "fixed");
    });

    it("does not write over what someone else changed meanwhile", async () => {
      const other = join(cluster.directory, "other.yaml");
      await writeFile(other, ROLE.replace("NAME", "edited").replace("root", "theirs"));
      const waiting = join(cluster.directory, "go");
      const editing = edit(`sed -i 's/- fixed/- mine/' "$1"; touch ${waiting}.ready
until test -e ${waiting}; do sleep 0.05; done`);
      await until("the editor is open", () => existsSync(`${waiting}.ready`));
      await cluster.out(`create --force -f ${other}`);
      await writeFile(waiting, "");
      const ran = await editing;
      assert.equal(ran.code, 1);
      assert.match(ran.err, /someone else has changed role\/edited meanwhile/);
      assert.match(await readFile(keptIn(ran), "utf8"), /- mine/);
      assert.equal(await logins(), "theirs");
    });

    it("keeps the text when the editor fails", async () => {
      const ran = await edit(`echo "mine: 2" >> "$1"; exit 3`);
      assert.match(ran.err, /the editor "sh .*" ended with code 3/);
      assert.match(await readFile(keptIn(ran), "utf8"), /mine: 2/);
    });

    it("does not rename", async () => {
      const ran = await edit(`grep -q '^#! ' "$1" || sed -i 's/name: edited/name: other/' "$1"`);
      assert.equal(ran.code, 1);
      assert.match(
        await readFile(keptIn(ran), "utf8"),
        /metadata\.name: must stay "edited"; got "other"/,
      );
    });

    it("wants one resource", async () => {
      for (const line of ["edit roles", "edit role/a,role/b"])
        assert.match((await cluster.run(line)).err, /must be kind\/name, such as bot\/robot/);
    });
  });
});
