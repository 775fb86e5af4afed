import { Choice, Field, Panel, TextField } from "@tenon/ui";
import type { ReactElement } from "react";
import { MomentField } from "./moment.tsx";
import { At, orNothing, type FormProps } from "./parts.tsx";
import { text } from "../values.ts";

const at = ["spec", "bound_keypair"] as const;
const onboarding = [...at, "onboarding"] as const;
const recovery = [...at, "recovery"] as const;

/** RFD 0205: how the machine's key becomes known, how often it may come back, and when it must change. */
export const BoundKeypair = (form: FormProps): ReactElement => (
  <div className="columns">
    <Panel title="Onboarding">
      <div className="stack">
        <At form={form} path={[...onboarding, "initial_public_key"]}>
          <TextField
            label="Public key of the machine"
            hint="as tbot keypair create prints it: then no secret is needed"
            rows={3}
            className="mono"
            placeholder="ssh-ed25519 AAAA…"
            value={text(form.get([...onboarding, "initial_public_key"]))}
            onChange={(event) =>
              form.set([...onboarding, "initial_public_key"], orNothing(event.target.value.trim()))
            }
          />
        </At>
        <At form={form} path={[...onboarding, "registration_secret"]}>
          <Field
            label="Registration secret"
            hint="lets the first machine bind its key; empty, and without a key: one is made"
            className="mono"
            value={text(form.get([...onboarding, "registration_secret"]))}
            onChange={(event) =>
              form.set([...onboarding, "registration_secret"], orNothing(event.target.value))
            }
          />
        </At>
        <At form={form} path={[...onboarding, "must_register_before"]}>
          <MomentField
            label="Must register before"
            hint="until when the secret is taken; empty: without an end"
            value={text(form.get([...onboarding, "must_register_before"]))}
            onChange={(value) =>
              form.set([...onboarding, "must_register_before"], orNothing(value))
            }
          />
        </At>
      </div>
    </Panel>
    <Panel title="Recovery and rotation">
      <div className="stack">
        <At form={form} path={[...recovery, "limit"]}>
          <Field
            label="Recovery limit"
            hint="how often the machine may join without a valid certificate, the first time counted"
            type="number"
            min={1}
            value={text(form.get([...recovery, "limit"]))}
            onChange={(event) => form.set([...recovery, "limit"], numberOf(event.target.value))}
          />
        </At>
        <At form={form} path={[...recovery, "mode"]}>
          <Choice
            label="Recovery mode"
            options={[
              ["standard", "standard: counts recoveries, up to the limit"],
              ["relaxed", "relaxed: does not count"],
              ["insecure", "insecure: asks for no join state"],
            ]}
            value={text(form.get([...recovery, "mode"])) || "standard"}
            onChange={(value) => form.set([...recovery, "mode"], value)}
          />
        </At>
        <At form={form} path={[...at, "rotate_after"]}>
          <MomentField
            label="Rotate after"
            hint="a join after this time must bring a new key; empty: never"
            value={text(form.get([...at, "rotate_after"]))}
            onChange={(value) => form.set([...at, "rotate_after"], orNothing(value))}
          />
        </At>
      </div>
    </Panel>
  </div>
);

/** What is no number stays what was typed, and the schema says so. */
const numberOf = (typed: string): number | string | undefined =>
  typed === "" ? undefined : Number.isNaN(Number(typed)) ? typed : Number(typed);
