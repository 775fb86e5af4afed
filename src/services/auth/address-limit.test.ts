import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { ManualClock } from "#testing/clock";
import { AddressLimit } from "./address-limit.ts";
import { Slots } from "./slots.ts";

const limits = { burst: 3, perSecond: 2, addresses: 100 };
const taken = (limit: AddressLimit, address: string, calls: number): number =>
  Array.from({ length: calls }, () => limit.take(address)).filter(Boolean).length;

describe("the limit of an address", () => {
  it("lets a burst through, then refills by the second, never above the burst", async () => {
    const clock = new ManualClock();
    const limit = new AddressLimit(clock, limits);
    assert.equal(taken(limit, "192.0.2.1", 10), 3);
    await clock.advance(1_000);
    assert.equal(taken(limit, "192.0.2.1", 10), 2);
    await clock.advance(3_600_000);
    assert.equal(taken(limit, "192.0.2.1", 10), 3);
  });

  it("does not refill when the wall clock jumps", () => {
    const clock = new ManualClock();
    const limit = new AddressLimit(clock, limits);
    taken(limit, "192.0.2.1", 3);
    clock.jump(3_600_000);
    assert.equal(limit.take("192.0.2.1"), false);
  });

  it("counts each IPv4 address for itself", () => {
    const limit = new AddressLimit(new ManualClock(), limits);
    assert.equal(taken(limit, "192.0.2.1", 10), 3);
    assert.equal(taken(limit, "192.0.2.2", 10), 3);
  });

  it("counts the addresses of one IPv6 site together", () => {
    const limit = new AddressLimit(new ManualClock(), limits);
    assert.equal(taken(limit, "2001:db8:1:2::1", 2), 2);
    assert.equal(taken(limit, "2001:db8:1:2:ffff:ffff:ffff:ffff", 10), 1);
    assert.equal(taken(limit, "2001:db8:1:3::1", 10), 3);
  });

  it("remembers so many addresses and no more", () => {
    const limit = new AddressLimit(new ManualClock(), limits);
    for (let i = 0; i < 10_000; i += 1) limit.take(`10.0.${i >> 8}.${i & 255}`);
    assert.equal(limit.size, 100);
  });

  it("forgets the one that was quiet longest, not the one that floods", () => {
    const limit = new AddressLimit(new ManualClock(), limits);
    taken(limit, "192.0.2.1", 3);
    for (let i = 0; i < 1_000; i += 1) {
      limit.take(`10.0.${i >> 8}.${i & 255}`);
      assert.equal(limit.take("192.0.2.1"), false);
    }
  });
});

describe("slots", () => {
  it("are limited for each address and in all, and come back", () => {
    const slots = new Slots(3, 2);
    const held = [slots.take("192.0.2.1"), slots.take("192.0.2.1")];
    assert.equal(slots.take("192.0.2.1"), undefined);
    assert.ok(slots.take("192.0.2.2"));
    assert.equal(slots.take("192.0.2.3"), undefined);
    held[0]?.[Symbol.dispose]();
    assert.ok(slots.take("192.0.2.3"));
    assert.equal(slots.taken, 3);
  });
});
