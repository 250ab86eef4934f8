import type { Cursor, RunwireEvent } from '@runwire/protocol/wire';

/** The recent events of a stream, contiguous: what a tab needs to bring others up to date. */
export interface StreamHistory {
  /** The last event. */
  readonly last: Cursor;
  /** A cursor below it cannot be served. */
  readonly floorSeq: number;
  /** Takes an event with its JSON. False if it is known, or does not continue. */
  add(event: RunwireEvent, text: string): boolean;
  /**
   * The events behind `cursor`, as JSON; undefined when they are not all here, or when the event at `cursor`
   * cannot be seen to be the same.
   */
  after(cursor: Cursor): readonly string[] | undefined;
}

interface Entry {
  readonly seq: number;
  readonly id: string;
  readonly text: string;
}

/** Starts a history behind `start`. */
export function createStreamHistory(start: Cursor, maxChars: number): StreamHistory {
  const { epoch } = start;
  let floor: { readonly seq: number; readonly id?: string } = start;
  let last = start;
  const entries: Entry[] = [];
  let chars = 0;

  const trim = (): void => {
    for (const entry of entries) {
      if (chars <= maxChars) break;
      floor = entry;
      chars -= entry.text.length;
    }
    const kept = entries.findIndex(({ seq }) => seq > floor.seq);
    entries.splice(0, kept < 0 ? entries.length : kept);
  };

  return {
    get last() {
      return last;
    },
    get floorSeq() {
      return floor.seq;
    },
    add({ seq, id, from = seq }, text) {
      if (seq <= last.seq || from > last.seq + 1) return false;
      entries.push({ seq, id, text });
      last = { epoch, seq, id };
      chars += text.length;
      if (chars > maxChars) trim();
      return true;
    },
    after({ epoch: other, seq, id }) {
      if (other !== epoch) return undefined;
      if (seq === floor.seq && id === floor.id && (id !== undefined || seq === 0)) {
        return entries.map(({ text }) => text);
      }
      const at = entries.findIndex((entry) => entry.seq === seq && entry.id === id);
      return at < 0 ? undefined : entries.slice(at + 1).map(({ text }) => text);
    },
  };
}
