import { testStore } from "#testing/store-suite";
import { openMemoryStore } from "./memory.ts";

testStore({
  name: "memory",
  durable: false,
  open: async (options) => {
    const store = openMemoryStore(options);
    return {
      store,
      reopen: () => Promise.reject(new Error("a memory store leaves nothing")),
      [Symbol.asyncDispose]: () => store[Symbol.asyncDispose](),
    };
  },
});
