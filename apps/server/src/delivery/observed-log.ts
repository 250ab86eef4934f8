import type { AppendResult, EventLog } from '@runwire/event-log';
import type { UserId } from '@runwire/id-generation';
import type { EventDraft } from '@runwire/protocol';

/** What a log has taken. */
export interface Appended {
  readonly userId: UserId;
  readonly drafts: readonly EventDraft[];
  /** A repeat (`duplicate`) has the positions of the first time. */
  readonly result: AppendResult;
}

/** Is told of each append, as soon as it has settled. Must not throw or reject; the append settles behind it. */
export type AppendObserver = (appended: Appended) => Promise<void> | undefined;

/** A log that tells of its appends. Readers and wakes wait for nobody. */
export function observeAppends(log: EventLog, observers: readonly AppendObserver[]): EventLog {
  return {
    async append(userId, drafts, options) {
      const result = await log.append(userId, drafts, options);
      for (const observe of observers) {
        const observed = observe({ userId, drafts, result });
        if (observed !== undefined) await observed;
      }
      return result;
    },
    read: (userId, request) => log.read(userId, request),
    stream: (userId) => log.stream(userId),
    subscribe: (userId, onWake) => log.subscribe(userId, onWake),
    openRuns: (userId) => log.openRuns(userId),
    erase: (userId, what) => log.erase(userId, what),
    trim: (userId, range) => log.trim(userId, range),
    close: () => log.close(),
    [Symbol.asyncDispose]: () => log[Symbol.asyncDispose](),
  };
}
