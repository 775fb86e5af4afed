import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { CodedError } from "#base/kernel";
import type { MuxRequest } from "#base/wire";
import { readTarget, TargetHeaders } from "./headers.ts";

const request = (headers: Readonly<Record<string, string>>): MuxRequest => ({
  header: (name) => headers[name],
  signal: new AbortController().signal,
  accept: () => assert.fail("nobody accepts"),
  refuse: () => assert.fail("nobody refuses"),
});

const target = {
  appName: "grafana",
  certificate: Buffer.from([0x30, 0x03, 0x02, 0x01, 0xff]),
  remoteAddr: "2001:db8::7",
};

describe("the headers of a tunnelled connection", () => {
  test("bring what was written", () => {
    assert.deepEqual(readTarget(request(new TargetHeaders().of(target))), target);
  });

  test("encode a certificate once, also one that is a part of a larger buffer", () => {
    const headers = new TargetHeaders();
    const certificate = new Uint8Array([9, 9, 0x30, 0x00, 9]).subarray(2, 4);
    const first = headers.of({ ...target, certificate });
    assert.deepEqual(readTarget(request(first)).certificate, Buffer.from([0x30, 0x00]));
    assert.deepEqual(headers.of({ ...target, certificate }), first);
  });

  const good = new TargetHeaders().of(target);
  const faults: [string, Record<string, string>][] = [
    ["no application", { ...good, "tenon-app": "" }],
    ["an application name that is too long", { ...good, "tenon-app": "a".repeat(64) }],
    ["no certificate", { ...good, "tenon-certificate": "" }],
    ["a certificate that is no base64", { ...good, "tenon-certificate": "MAMC*Qo=" }],
    ["a certificate with half a group", { ...good, "tenon-certificate": "MAMCA" }],
    ["a huge certificate", { ...good, "tenon-certificate": "A".repeat(40_000) }],
    ["no address", { ...good, "tenon-remote-addr": "" }],
    ["an address that is too long", { ...good, "tenon-remote-addr": "1".repeat(129) }],
  ];
  for (const [name, headers] of faults)
    test(`are refused with ${name}`, () => {
      assert.throws(
        () => readTarget(request(headers)),
        (error) => error instanceof CodedError && error.code === "bad_parameter",
      );
    });
});
