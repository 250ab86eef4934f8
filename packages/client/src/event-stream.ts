import { createDeferred, type Deferred } from '@runwire/kernel';
import type { RunwireEvent } from '@runwire/protocol/wire';

/** One `events()` iterator and its buffer. */
export interface EventStream {
  readonly iterator: AsyncIterableIterator<RunwireEvent>;
  /** True while the reader is so far behind that delivery pauses. */
  readonly full: boolean;
  push(event: RunwireEvent): void;
  /** No more events; what is buffered can still be read. */
  end(): void;
}

/** What a stream tells its owner. */
export interface EventStreamDeps {
  readonly maxBuffered: number;
  /** The reader has room again. */
  readonly onRoom: () => void;
  /** Iteration was stopped. */
  readonly onReturn: () => void;
}

type Result = IteratorResult<RunwireEvent, undefined>;

/** Creates a stream. Full at `maxBuffered` unread events, until half of them are read. */
export function createEventStream({ maxBuffered, onRoom, onReturn }: EventStreamDeps): EventStream {
  let buffer: RunwireEvent[] = [];
  /** How many of the buffer were read. */
  let read = 0;
  let readers: Deferred<Result>[] = [];
  let full = false;
  let ended = false;

  const keep = (unread: RunwireEvent[]): void => {
    buffer = unread;
    read = 0;
    if (!full) return;
    full = false;
    onRoom();
  };

  const end = (): void => {
    ended = true;
    for (const reader of readers) reader.resolve({ done: true, value: undefined });
    readers = [];
  };

  const next = async (): Promise<Result> => {
    const value = buffer[read];
    if (value === undefined) {
      if (ended) return { done: true, value };
      const reader = createDeferred<Result>();
      readers.push(reader);
      return reader.promise;
    }
    read += 1;
    if (buffer.length - read <= maxBuffered / 2) keep(buffer.slice(read));
    return { done: false, value };
  };

  return {
    iterator: {
      next,
      async return() {
        end();
        onReturn();
        keep([]);
        return { done: true, value: undefined };
      },
      [Symbol.asyncIterator]() {
        return this;
      },
    },
    get full() {
      return full;
    },
    push(event) {
      if (ended) return;
      const reader = readers.shift();
      if (reader !== undefined) {
        reader.resolve({ done: false, value: event });
        return;
      }
      buffer.push(event);
      if (buffer.length - read >= maxBuffered) full = true;
    },
    end,
  };
}
