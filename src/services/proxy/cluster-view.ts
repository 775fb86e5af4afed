import { appName, type App, type Role } from "#domain/resources";

/** The cluster's roles and applications in memory: what each connection is judged by. */
export class ClusterView {
  readonly #roles = new Map<string, Role>();
  readonly #apps = new Map<string, App>();
  readonly #appsByName = new Map<string, Set<App>>();

  /** Roles by name; one that is gone gives nothing. */
  rolesOf(names: readonly string[]): readonly Role[] {
    return names.flatMap((name) => this.#roles.get(name) ?? []);
  }

  /** Every agent's entry of one application. */
  appsNamed(name: string): readonly App[] {
    return [...(this.#appsByName.get(name) ?? [])];
  }

  /** The application whose `public_addr` is this host name. */
  appAt(host: string): string | undefined {
    for (const app of this.#apps.values()) if (app.spec.public_addr === host) return appName(app);
    return undefined;
  }

  replace(roles: Iterable<Role>, apps: Iterable<App>): void {
    this.#roles.clear();
    this.#apps.clear();
    this.#appsByName.clear();
    for (const role of roles) this.put(role);
    for (const app of apps) this.put(app);
  }

  put(resource: Role | App): void {
    this.remove(resource.kind, resource.metadata.name);
    if (resource.kind === "role") this.#roles.set(resource.metadata.name, resource);
    else this.#putApp(resource);
  }

  remove(kind: string, name: string): void {
    if (kind === "role") this.#roles.delete(name);
    else this.#removeApp(name);
  }

  #putApp(app: App): void {
    this.#apps.set(app.metadata.name, app);
    const name = appName(app);
    this.#appsByName.set(name, (this.#appsByName.get(name) ?? new Set()).add(app));
  }

  #removeApp(name: string): void {
    const app = this.#apps.get(name);
    if (!app) return;
    this.#apps.delete(name);
    const others = this.#appsByName.get(appName(app))!;
    others.delete(app);
    if (others.size === 0) this.#appsByName.delete(appName(app));
  }
}
