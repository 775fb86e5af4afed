import { durationMs } from "#base/config";
import { messageOf } from "#base/kernel";
import type { Write } from "#base/storage";
import { CLUSTER_CONFIG_NAME, PageTokens, Resources } from "#domain/resources";
import { EventQueue, MAX_QUEUED, type EventQueueOptions } from "./event-queue.ts";
import {
  auditWrite,
  DEFAULT_RETENTION_MS,
  EVENT_KIND,
  eventId,
  eventOf,
  systemActor,
  type AuditEvent,
  type EventDraft,
} from "./event.ts";
import { searchEvents, type EventPage, type EventQuery } from "./search.ts";

/** How long a changed `audit_retention` may go unnoticed. */
const RETENTION_CACHE_MS = 60_000;
/** RFC 9562 gives the order within a millisecond 12 bits. */
const IDS_PER_MS = 4_096;

/**
 * Writes and finds events. `write` is for what is committed with the change that it records; `emit`
 * queues the rest, which reaches the store in order, in batches, and waits while the store fails.
 */
export class AuditLog implements AsyncDisposable {
  readonly #options: EventQueueOptions;
  readonly #tokens: PageTokens;
  readonly #queue: EventQueue;
  #refused = 0;
  #last = { ms: 0, order: 0 };
  #retention = { ms: DEFAULT_RETENTION_MS, readAt: -Infinity };

  constructor(options: EventQueueOptions) {
    this.#options = options;
    this.#tokens = new PageTokens(options.store);
    this.#queue = new EventQueue(options);
  }

  /** The write of an event, for the same commit as what it records. */
  write(draft: EventDraft): Write {
    const { clock } = this.#options;
    this.#refreshRetention();
    return auditWrite(draft, { clock, retentionMs: this.#retention.ms, id: this.#nextId() });
  }

  /**
   * Queues an event; `flush` waits for it. False when the queue is full: the event is refused, which
   * is counted, logged, and told by an `audit.gap` event once there is room.
   */
  emit(draft: EventDraft): boolean {
    const gap = this.#refused;
    const told = gap > 0 ? [this.write(gapEvent(gap))] : [];
    if (!this.#queue.push(...told, this.write(draft))) return this.#refuse(draft);
    this.#refused = 0;
    return true;
  }

  /** Resolves when everything that was emitted is durable; waits as long as the store fails. */
  flush(): Promise<void> {
    return this.#queue.flush();
  }

  search(query: EventQuery): Promise<EventPage> {
    return searchEvents({ store: this.#options.store, tokens: this.#tokens }, query);
  }

  /** One event; nothing when there is none, or its time is over. */
  async find(id: string): Promise<AuditEvent | undefined> {
    const item = await this.#options.store.get(EVENT_KIND, id);
    return item && eventOf(item);
  }

  /** Tries once more to write what is queued; what the store still refuses is lost, and logged. */
  [Symbol.asyncDispose](): Promise<void> {
    return this.#queue[Symbol.asyncDispose]();
  }

  #refuse({ type }: EventDraft): false {
    this.#options.count?.("refused", 1);
    this.#refused += 1;
    const first = this.#refused === 1;
    if (first)
      this.#options.logger.error("the audit log refuses events", { type, limit: MAX_QUEUED });
    return false;
  }

  /** Ids of one millisecond sort in the order in which they were given. */
  #nextId(): string {
    const now = this.#options.clock.now();
    const order = this.#last.ms === now ? this.#last.order + 1 : 0;
    this.#last = { ms: now, order };
    return eventId(now, Math.min(order, IDS_PER_MS - 1));
  }

  #refreshRetention(): void {
    const now = this.#options.clock.monotonic();
    if (now - this.#retention.readAt < RETENTION_CACHE_MS) return;
    this.#retention = { ...this.#retention, readAt: now };
    void this.#readRetention();
  }

  async #readRetention(): Promise<void> {
    try {
      const resources = new Resources(this.#options.store);
      const config = await resources.get("cluster_config", CLUSTER_CONFIG_NAME);
      if (!config) return;
      this.#retention = { ...this.#retention, ms: durationMs(config.spec.audit_retention) };
    } catch (error) {
      this.#options.logger.debug("audit_retention cannot be read", { reason: messageOf(error) });
    }
  }
}

const gapEvent = (refused: number): EventDraft => ({
  type: "audit.gap",
  actor: systemActor,
  fields: { refused },
});
