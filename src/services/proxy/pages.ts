import { trustToProto, type Trust } from "#domain/authority";
import { joinMethods } from "#domain/resources";
import { toJson } from "@bufbuild/protobuf";
import { TrustBundleSchema } from "@tenon/api/tenon/join/v1/join";
import type { WebAnswer, WebPages } from "./web.ts";

export interface PageFacts {
  readonly clusterName: string;
  readonly version: string;
  /** `host:port` under which clients outside reach the port. */
  readonly publicAddr: () => string;
  readonly trust: () => Trust;
}

/** What the proxy serves before the web application: a first contact's two questions, and a sign at the door. */
export function pages(facts: PageFacts): WebPages {
  return {
    "/": () => landing(facts),
    "/webapi/ping": () => json(ping(facts)),
    // The protobuf JSON form of `tenon.join.v1.TrustBundle`: public keys only, no secret.
    "/webapi/trust": () =>
      json(toJson(TrustBundleSchema, trustToProto(facts.trust()), { useProtoFieldName: true })),
  };
}

function ping(facts: PageFacts): object {
  return {
    cluster_name: facts.clusterName,
    version: facts.version,
    proxy_public_addr: facts.publicAddr(),
    features: { join_methods: joinMethods, applications: true },
  };
}

const json = (value: unknown): WebAnswer => ({
  type: "application/json",
  body: JSON.stringify(value),
});

function landing({ clusterName, version }: PageFacts): WebAnswer {
  const name = escapeHtml(clusterName);
  return {
    type: "text/html",
    body: `<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>${name} · Tenon</title>
<style>body{font:16px/1.5 system-ui,sans-serif;max-width:36rem;margin:4rem auto;padding:0 1rem}code{background:#8882;padding:.1em .3em;border-radius:.2em}</style>
</head>
<body>
<h1>${name}</h1>
<p>This is the proxy of a Tenon ${escapeHtml(version)} cluster: it gives machines short-lived identities, and opens applications to them.</p>
<p><a href="/web/">Sign in</a> to see every machine.</p>
<p>Bots join here with <code>tbot start</code>, agents with <code>tenon app start</code>, and an administrator works with <code>tctl</code>.</p>
</body>
</html>
`,
  };
}

function escapeHtml(text: string): string {
  return text.replace(/[&<>"']/g, (character) => `&#${character.charCodeAt(0)};`);
}
