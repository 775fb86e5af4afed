import {
  createRootRoute,
  createRoute,
  createRouter,
  lazyRouteComponent,
  redirect,
} from "@tanstack/react-router";
import type { EventFilter } from "./api/events.ts";
import { activeInstances, botOf, viewer } from "./api/queries.ts";
import { queryClient } from "./api/query-client.ts";
import { Shell } from "./shell.tsx";
import { Nowhere } from "./pages/nowhere.tsx";
import { BotsPage } from "./pages/bots.tsx";
import { SignInPage } from "./pages/sign-in.tsx";

const root = createRootRoute();

/** A word that looks like a number was typed without quotes. */
const textOf = (value: unknown): string =>
  typeof value === "string" || typeof value === "number" ? String(value) : "";

const signIn = createRoute({ getParentRoute: () => root, path: "/sign-in", component: SignInPage });
const invitation = createRoute({
  getParentRoute: () => root,
  path: "/invitation",
  component: lazyRouteComponent(() => import("./pages/invitation.tsx"), "InvitationPage"),
});

const shell = createRoute({
  getParentRoute: () => root,
  id: "shell",
  loader: () => void queryClient.prefetchQuery(viewer),
  component: Shell,
});

const home = createRoute({
  getParentRoute: () => shell,
  path: "/",
  beforeLoad: () => {
    throw redirect({ to: "/bots", search: { search: "" } });
  },
});

interface BotsSearch {
  readonly search: string;
  readonly sort?: "created_at";
  readonly order?: "desc";
}

const bots = createRoute({
  getParentRoute: () => shell,
  path: "/bots",
  validateSearch: ({ search, sort, order }): BotsSearch => ({
    search: textOf(search),
    ...(sort === "created_at" ? { sort } : {}),
    ...(order === "desc" ? { order } : {}),
  }),
  component: BotsPage,
});

const addBot = createRoute({
  getParentRoute: () => shell,
  path: "/add-bot",
  validateSearch: ({ how }) => ({ how: how === "github" ? "github" : "bound_keypair" }),
  component: lazyRouteComponent(() => import("./add/page.tsx"), "AddBotPage"),
});

const bot = createRoute({
  getParentRoute: () => shell,
  path: "/bots/$name",
  loader: ({ params: { name } }) => {
    void queryClient.prefetchQuery(botOf(name));
    void queryClient.prefetchQuery(activeInstances(name));
  },
  validateSearch: ({ range }): { range?: "hour" | "week" } =>
    range === "hour" || range === "week" ? { range } : {},
  component: lazyRouteComponent(() => import("./bot/page.tsx"), "BotPage"),
});

const instanceSorts = ["name", "last_active_at", "first_seen_at"] as const;

/** What is absent is as usual. */
interface InstancesSearch {
  readonly search: string;
  readonly bot_name: string;
  readonly version?: string;
  readonly health?: string;
  readonly os?: string;
  readonly join_method?: string;
  readonly sort: (typeof instanceSorts)[number];
  readonly order?: "asc" | "desc";
}

const textsOf = <K extends string>(given: Record<string, unknown>, names: readonly K[]) =>
  Object.fromEntries(
    names.map((name) => [name, textOf(given[name])] as const).filter(([, text]) => text !== ""),
  ) as { readonly [N in K]?: string };

const instances = createRoute({
  getParentRoute: () => shell,
  path: "/instances",
  validateSearch: ({ search, bot_name, ...given }): InstancesSearch => ({
    search: textOf(search),
    bot_name: textOf(bot_name),
    ...textsOf(given, ["version", "health", "os", "join_method"]),
    sort: instanceSorts.find((each) => each === given["sort"]) ?? "last_active_at",
    ...(given["order"] === "asc" || given["order"] === "desc" ? { order: given["order"] } : {}),
  }),
  component: lazyRouteComponent(() => import("./pages/instances.tsx"), "InstancesPage"),
});

const instance = createRoute({
  getParentRoute: () => shell,
  path: "/bots/$name/instances/$id",
  component: lazyRouteComponent(() => import("./instance/page.tsx"), "InstancePage"),
});

const searchOf = ({ search }: Record<string, unknown>): { search?: string } =>
  textOf(search) === "" ? {} : { search: textOf(search) };

const tokens = createRoute({
  getParentRoute: () => shell,
  path: "/tokens",
  validateSearch: searchOf,
  component: lazyRouteComponent(() => import("./pages/tokens.tsx"), "TokensPage"),
});

/** `form` or `yaml`: it is being changed. */
const viewOf = ({ view }: Record<string, unknown>): { view: "form" | "yaml" | "" } => ({
  view: view === "form" || view === "yaml" ? view : "",
});

const token = createRoute({
  getParentRoute: () => shell,
  path: "/tokens/$name",
  validateSearch: viewOf,
  component: lazyRouteComponent(() => import("./resource/page.tsx"), "TokenPage"),
});

const resource = createRoute({
  getParentRoute: () => shell,
  path: "/resources/$kind/$name",
  validateSearch: viewOf,
  component: lazyRouteComponent(() => import("./resource/page.tsx"), "ResourcePage"),
});

const locks = createRoute({
  getParentRoute: () => shell,
  path: "/locks",
  validateSearch: searchOf,
  component: lazyRouteComponent(() => import("./pages/locks.tsx"), "LocksPage"),
});

const eventFilters = ["bot", "user", "type", "code", "session", "range", "from", "to"] as const;

const audit = createRoute({
  getParentRoute: () => shell,
  path: "/audit",
  validateSearch: (given): EventFilter =>
    Object.fromEntries(
      eventFilters.map((name) => [name, textOf(given[name])]).filter(([, value]) => value !== ""),
    ),
  component: lazyRouteComponent(() => import("./pages/audit.tsx"), "AuditPage"),
});

const event = createRoute({
  getParentRoute: () => shell,
  path: "/audit/$id",
  component: lazyRouteComponent(() => import("./pages/event.tsx"), "EventPage"),
});

const resources = createRoute({
  getParentRoute: () => shell,
  path: "/resources/$kind",
  validateSearch: ({ search, order }): { search: string; order?: "desc" } => ({
    search: textOf(search),
    ...(order === "desc" ? { order } : {}),
  }),
  component: lazyRouteComponent(() => import("./pages/resources.tsx"), "ResourcesPage"),
});

const create = createRoute({
  getParentRoute: () => shell,
  path: "/create/$kind",
  validateSearch: (given: Record<string, unknown>) => ({
    ...viewOf(given),
    bot: textOf(given["bot"]),
  }),
  component: lazyRouteComponent(() => import("./pages/create.tsx"), "CreatePage"),
});

const cluster = createRoute({
  getParentRoute: () => shell,
  path: "/cluster",
  component: lazyRouteComponent(() => import("./pages/cluster.tsx"), "ClusterPage"),
});

const account = createRoute({
  getParentRoute: () => shell,
  path: "/account",
  component: lazyRouteComponent(() => import("./account/page.tsx"), "AccountPage"),
});

const nowhere = createRoute({ getParentRoute: () => shell, path: "$", component: Nowhere });

export const router = createRouter({
  basepath: "/web",
  routeTree: root.addChildren([
    signIn,
    invitation,
    shell.addChildren([
      home,
      bots,
      addBot,
      bot,
      instances,
      instance,
      tokens,
      token,
      locks,
      audit,
      event,
      resources,
      resource,
      create,
      cluster,
      account,
      nowhere,
    ]),
  ]),
  defaultPreload: "intent",
});

declare module "@tanstack/react-router" {
  interface Register {
    router: typeof router;
  }
}
