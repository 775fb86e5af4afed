import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { siteOf } from "./site.ts";

describe("the site of an address", () => {
  const cases = [
    ["192.0.2.1", "192.0.2.1"],
    ["2001:db8::1", "2001:db8:0:0::/64"],
    ["2001:0DB8:0:0:1::", "2001:db8:0:0::/64"],
    ["2001:db8:1:2:3:4:5:6", "2001:db8:1:2::/64"],
    ["::1", "0:0:0:0::/64"],
    ["fe80::1%eth0", "fe80:0:0:0::/64"],
    ["unknown", "unknown"],
  ] as const;
  for (const [address, site] of cases) {
    it(`of ${address} is ${site}`, () => assert.equal(siteOf(address), site));
  }
});
