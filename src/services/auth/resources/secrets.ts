import { mayVerb, type Caller } from "#domain/access";
import type { AnyResource, Token } from "#domain/resources";
import { tokenDisplayName } from "#domain/resources";

/** What the caller may see of a document: the secrets of tokens need the verb `read` on `token`. */
export function viewFor(caller: Caller): (resource: AnyResource) => AnyResource {
  if (mayVerb(caller, "token", "read")) return (resource) => resource;
  return (resource) => (resource.kind === "token" ? withoutSecrets(resource) : resource);
}

/** Also hides the name, where it is the secret. */
export function withoutSecrets(token: Token): Token {
  const { bound_keypair: bound } = token.spec;
  const status = token.status?.bound_keypair;
  return {
    ...token,
    metadata: { ...token.metadata, name: tokenDisplayName(token) },
    spec: bound
      ? {
          ...token.spec,
          bound_keypair: {
            ...bound,
            onboarding: { ...bound.onboarding, registration_secret: "" },
          },
        }
      : token.spec,
    ...(status ? { status: { bound_keypair: withoutSecret(status) } } : {}),
  };
}

function withoutSecret<T extends { registration_secret?: string | undefined }>(status: T): T {
  const { registration_secret: _, ...rest } = status;
  return rest as T;
}
