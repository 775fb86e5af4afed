import { botsOf, usersOf, type AuditEvent } from "#domain/audit";
import type { EventNewsSchema } from "@tenon/api/tenon/auth/v1/auth";
import type { MessageInitShape } from "@bufbuild/protobuf";

/** With more bots or users than this in one message, whoever listens asks again anyway. */
const MAX_NAMES = 100;

/** What is new since it was last taken: of what, and how much; never what it says. */
export class News {
  #types = new Set<string>();
  #bots = new Set<string>();
  #users = new Set<string>();
  #count = 0;
  #all = false;

  add(event: AuditEvent): void {
    this.#count += 1;
    if (this.#all) return;
    this.#types.add(event.type);
    for (const bot of botsOf(event)) this.#bots.add(bot);
    for (const user of usersOf(event)) this.#users.add(user);
    if (this.#bots.size > MAX_NAMES || this.#users.size > MAX_NAMES) this.missed();
  }

  /** Anything may be new. */
  missed(): void {
    this.#all = true;
    for (const names of [this.#types, this.#bots, this.#users]) names.clear();
  }

  take(): MessageInitShape<typeof EventNewsSchema> {
    const [types, bots, users] = [[...this.#types], [...this.#bots], [...this.#users]];
    const taken = { count: this.#count, types, bots, users, all: this.#all };
    this.missed();
    [this.#count, this.#all] = [0, false];
    return taken;
  }
}
