import { mayVerb } from "#domain/access";
import { ruleResources, verbs, type Role, type RuleResource, type Verb } from "#domain/resources";
import type { WebParts } from "./parts.ts";

/** What a person's roles allow: for what a page shows or leaves out; the authority decides anew. */
export class Viewer {
  readonly user: string;
  readonly roles: readonly string[];
  readonly #roles: readonly Role[];

  private constructor(user: string, names: readonly string[], roles: readonly Role[]) {
    this.user = user;
    this.roles = names;
    this.#roles = roles;
  }

  static async read({ resources }: Pick<WebParts, "resources">, name: string): Promise<Viewer> {
    const user = await resources.get("user", name);
    const names = user?.spec.roles ?? [];
    const read = await Promise.all(names.map(async (role) => await resources.get("role", role)));
    return new Viewer(
      name,
      names,
      read.filter((role) => role !== undefined),
    );
  }

  may(resource: RuleResource, verb: Verb): boolean {
    const { user, roles } = this;
    const identity = { user, roles, traits: {}, logins: [], allowReissue: false, expires: 0 };
    return mayVerb({ kind: "user", identity, roles: this.#roles }, resource, verb);
  }

  /** Resource to the verbs that the roles allow. */
  get access(): Record<string, string[]> {
    return Object.fromEntries(
      ruleResources.map((resource) => [resource, verbs.filter((verb) => this.may(resource, verb))]),
    );
  }
}
