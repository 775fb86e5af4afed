import { describe } from "node:test";
import { testClosing } from "./store-suite/closing.ts";
import { testExpiry } from "./store-suite/expiry.ts";
import { testFeed } from "./store-suite/feed.ts";
import type { StoreKind } from "./store-suite/harness.ts";
import { testLimits } from "./store-suite/limits.ts";
import { testLists } from "./store-suite/lists.ts";
import { testModel } from "./store-suite/model.ts";
import { testPaging } from "./store-suite/paging.ts";
import { testRestarts } from "./store-suite/restarts.ts";
import { testWrites } from "./store-suite/writes.ts";

export type { StoreOptions } from "./store-suite/harness.ts";

/** What every store must do; the test of a store says how to open it, and calls this. */
export function testStore(kind: StoreKind): void {
  describe(`the ${kind.name} store`, () => {
    testWrites(kind);
    testLists(kind);
    testPaging(kind);
    testFeed(kind);
    testExpiry(kind);
    testLimits(kind);
    testClosing(kind);
    testModel(kind);
    if (kind.durable) testRestarts(kind);
  });
}
