import type { RunwireClient } from '@runwire/client';
import type { ActorClock } from '../actor-clock.js';
import type { Verdicts } from '../audit/verdicts.js';
import type { Prng } from '../prng.js';

/** What a reader of `events()` is made of. */
export interface ReaderDeps {
  readonly name: string;
  readonly clock: ActorClock;
  readonly prng: Prng;
  readonly verdicts: Verdicts;
  /** It takes at most so long for an event. */
  readonly paceMs: number;
}

/** A reader of `events()`. */
export interface Reader {
  /** The handlers were given an event: the reader is to get it too. */
  expect(seq: number): void;
  /** The last one did not get past the handlers. */
  forgetLast(): void;
  readonly unread: number;
}

/** Reads `events()`, more or less slowly, and compares it with what the handlers were given. */
export function followReader(client: RunwireClient, deps: ReaderDeps): Reader {
  const { name, clock, prng, verdicts, paceMs } = deps;
  const expected: number[] = [];
  const events = client.events();
  const read = async (): Promise<void> => {
    for await (const { seq } of events) {
      const next = expected.shift();
      if (next !== seq) verdicts.violated('reader', `${name} read event ${seq}; its handler had ${next}`);
      if (!prng.chance(0.5))
        await new Promise<void>((resolve) => void clock.setTimer(prng.next() * paceMs, resolve));
    }
  };
  void read();
  return {
    expect: (seq) => void expected.push(seq),
    forgetLast: () => void expected.pop(),
    get unread() {
      return expected.length;
    },
  };
}
