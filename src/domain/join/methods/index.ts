import { boundKeypair } from "./bound-keypair.ts";
import type { Method, MethodCase } from "./method.ts";
import { oidc } from "./oidc.ts";
import { token } from "./token.ts";

/** Every join method: the one table. */
export const methods: { readonly [C in MethodCase]: Method<C> } = {
  boundKeypair,
  oidc,
  tokenMethod: token,
};
