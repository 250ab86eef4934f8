import type { EventLog } from '@runwire/event-log';

/** The log's methods, bound, so that single ones can be replaced. */
export function through(log: EventLog): EventLog {
  return {
    append: (...given) => log.append(...given),
    read: (...given) => log.read(...given),
    stream: (...given) => log.stream(...given),
    subscribe: (...given) => log.subscribe(...given),
    openRuns: () => log.openRuns(),
    erase: (...given) => log.erase(...given),
    trim: (...given) => log.trim(...given),
    close: () => log.close(),
    [Symbol.asyncDispose]: () => log[Symbol.asyncDispose](),
  };
}
