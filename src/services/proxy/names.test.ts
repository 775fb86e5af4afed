import assert from "node:assert/strict";
import { test } from "node:test";
import { Names } from "./names.ts";

const names = new Names({
  clusterName: "example.test",
  publicHost: "proxy.example.test",
  appAt: (host) => (host === "grafana.other.test" ? "grafana" : undefined),
});

const cases: [string, string | undefined][] = [
  ["web.example.test", "web"],
  ["web.proxy.example.test", "web"],
  ["no-such-app.example.test", "no-such-app"],
  ["grafana.other.test", "grafana"],
  ["example.test", undefined],
  ["proxy.example.test", undefined],
  ["a.b.example.test", undefined],
  ["-web.example.test", undefined],
  ["web.example.test.evil.test", undefined],
  ["webexample.test", undefined],
  ["other.test", undefined],
  ["proxy.example.test.tenon.internal", undefined],
];
for (const [host, app] of cases)
  test(`${host} is ${app === undefined ? "no application" : `application "${app}"`}`, () => {
    assert.equal(names.appOf(host), app);
  });
