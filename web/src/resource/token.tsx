import { Facts, Loading, Panel, Tags, Time } from "@tenon/ui";
import { useQuery } from "@tanstack/react-query";
import type { ReactElement } from "react";
import type { Token } from "../api/types.ts";
import { entries, text, words } from "../values.ts";
import { TokenState } from "../tokens/state.tsx";
import { tokenOf } from "../tokens/queries.ts";
import type { FactsProps } from "./facts.tsx";
import { ResourceLink } from "./links.tsx";
import { commonFacts } from "./plain.tsx";
import { isSecretName } from "./title.ts";

export const TokenFacts = ({ document }: FactsProps): ReactElement => {
  const { spec } = document;
  const method = text(spec["join_method"]);
  const bot = text(spec["bot_name"]);
  const settings = new Map(entries(spec[method]));
  return (
    <div className="columns">
      <Panel title="Who joins, and how">
        <Facts
          items={[
            ["Join method", method],
            ["What may join", <Tags key="roles" items={words(spec["roles"])} none="—" />],
            ...(bot === ""
              ? []
              : [["Bot", <ResourceLink key="bot" kind="bot" name={bot} />] as const]),
            ...(isSecretName(document)
              ? [["Name", "is the secret, and hidden; it is good for one join"] as const]
              : []),
            ...(document.metadata.expires ? [] : [["Ends", "never"] as const]),
            ...commonFacts({ document }),
          ]}
        />
      </Panel>
      {method === "bound_keypair" && <BoundKey document={document} settings={settings} />}
      {Array.isArray(settings.get("allow")) && (
        <AllowedBy rules={settings.get("allow") as unknown[]} settings={settings} />
      )}
    </div>
  );
};

type Settings = ReadonlyMap<string, unknown>;

function BoundKey({ document, settings }: FactsProps & { settings: Settings }): ReactElement {
  const { data } = useQuery(tokenOf(document.metadata.name));
  const recovery = new Map(entries(settings.get("recovery")));
  const status = new Map(entries(new Map(entries(document.status)).get("bound_keypair")));
  const onboarding = new Map(entries(settings.get("onboarding")));
  return (
    <Panel title="The bound key">
      <Facts
        items={[
          ["State", data ? <TokenState key="state" token={data} /> : <Loading key="state" />],
          ["Recoveries", recoveriesOf(data)],
          ["Recovery mode", text(recovery.get("mode")) || "standard"],
          [
            "Last recovered",
            <Time key="recovered" at={text(status.get("last_recovered_at"))} none="not yet" />,
          ],
          [
            "Last rotated",
            <Time key="rotated" at={text(status.get("last_rotated_at"))} none="not yet" />,
          ],
          [
            "Rotate after",
            <Time key="rotate" at={text(settings.get("rotate_after"))} none="never" />,
          ],
          [
            "Must register before",
            <Time
              key="register"
              at={text(onboarding.get("must_register_before"))}
              none="whenever it comes"
            />,
          ],
        ]}
      />
    </Panel>
  );
}

export const recoveriesOf = (token: Token | undefined): string => {
  if (token?.join_method === "token") return "one join";
  if (token?.recoveries_left === undefined) return "not counted";
  return `${token.recoveries_left} of ${token.recovery_limit} left`;
};

const AllowedBy = ({
  rules,
  settings,
}: {
  rules: readonly unknown[];
  settings: Settings;
}): ReactElement => (
  <Panel title="Whose ID tokens are taken" flush>
    <table className="plain">
      <tbody>
        {rules.map((rule, index) => (
          // oxlint-disable-next-line react/no-array-index-key -- a rule is known by its place only.
          <tr key={index}>
            <th scope="row">{index === 0 ? "all of" : "or all of"}</th>
            <td>
              {entries(rule).map(([claim, value]) => (
                <div key={claim}>
                  <bdi className="mono">{claim}</bdi> is{" "}
                  <bdi className="mono">
                    {typeof value === "string" ? value : JSON.stringify(value)}
                  </bdi>
                </div>
              ))}
            </td>
          </tr>
        ))}
        {settings.has("issuer") && (
          <tr>
            <th scope="row">Issuer</th>
            <td>
              <bdi className="mono">{text(settings.get("issuer"))}</bdi>
            </td>
          </tr>
        )}
        <tr>
          <th scope="row">Not older than</th>
          <td>{text(settings.get("max_token_age")) || "1h"}</td>
        </tr>
      </tbody>
    </table>
  </Panel>
);
