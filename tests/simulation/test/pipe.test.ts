import { describe, expect, it } from '@jest/globals';
import { textFrame } from '../src/network/frames.js';
import { type PathConditions, Pipe } from '../src/network/pipe.js';
import { createPrng } from '../src/prng.js';
import { Scheduler } from '../src/scheduler.js';
import { Trace } from '../src/trace.js';

const PLAIN: PathConditions = {
  latencyMs: 10,
  jitterMs: 5,
  bytesPerSecond: 1_000_000,
  windowBytes: 1_000,
  segmentBytes: 1_460,
};

function setUp(conditions: Partial<PathConditions> = {}) {
  const scheduler = new Scheduler({
    prng: createPrng('scheduler'),
    trace: new Trace({ keepLines: false }),
    uncaught: (_actor, cause) => {
      throw cause;
    },
  });
  const seen: string[] = [];
  const pipe = new Pipe(
    {
      scheduler,
      prng: createPrng('pipe'),
      conditions: { ...PLAIN, ...conditions },
      sender: scheduler.createActor('sender'),
      receiver: scheduler.createActor('receiver'),
      kernel: scheduler.createActor('kernel'),
      isOneByOne: false,
    },
    {
      received: ({ text }) => void seen.push(text),
      ended: (how) => void seen.push(how),
      flushed: () => void seen.push('flushed'),
      cut: () => void seen.push('cut'),
    },
  );
  const write = (...texts: string[]) => pipe.write(texts.map((text) => textFrame(text, 'server')));
  const elapse = (ms: number) => scheduler.run(() => false, scheduler.nowMs + ms);
  return { pipe, seen, write, elapse };
}

/** Of a short text frame: two bytes of header. */
const FRAME_BYTES = 'hello'.length + 2;

describe('one direction of a connection', () => {
  it('delivers frames whole and in order, whatever pieces they travel in', async () => {
    const { seen, write, elapse } = setUp({ segmentBytes: 3, jitterMs: 40 });
    write('one', 'two');
    write('three');
    await elapse(500);
    expect(seen).toEqual(['one', 'two', 'three']);
  });

  it('delivers nothing before the latency is over', async () => {
    const { seen, write, elapse } = setUp();
    write('hello');
    await elapse(9);
    expect(seen).toEqual([]);
    await elapse(10);
    expect(seen).toEqual(['hello']);
  });

  it.each([1, FRAME_BYTES - 1])('loses the frame that is cut behind byte %i of it', async (bytes) => {
    const { pipe, seen, write, elapse } = setUp({ segmentBytes: 1 });
    pipe.cutAfter(FRAME_BYTES + bytes);
    write('hello', 'world');
    await elapse(500);
    expect(seen).toEqual(['hello', 'cut']);
  });

  it('delivers the frame behind whose last byte it is cut', async () => {
    const { pipe, seen, write, elapse } = setUp();
    pipe.cutAfter(FRAME_BYTES);
    write('hello', 'world');
    await elapse(500);
    expect(seen).toEqual(['hello', 'cut']);
  });

  it('keeps with the sender what the window has no room for, whole writes at a time, and tells when it is gone', async () => {
    const { pipe, seen, write, elapse } = setUp({ windowBytes: 2 * FRAME_BYTES });
    pipe.setReading(false);
    write('hello', 'world');
    expect(pipe.bufferedBytes).toBe(0);
    write('again');
    expect(pipe.bufferedBytes).toBe(FRAME_BYTES);
    await elapse(500);
    expect(seen).toEqual([]);
    pipe.setReading(true);
    await elapse(500);
    expect(seen).toEqual(['hello', 'world', 'flushed', 'again']);
    expect(pipe.bufferedBytes).toBe(0);
  });

  it('delivers behind a hold what was held up', async () => {
    const { pipe, seen, write, elapse } = setUp();
    pipe.hold();
    write('hello');
    await elapse(500);
    expect(seen).toEqual([]);
    pipe.letGo();
    expect(seen).toEqual(['hello']);
  });

  it('ends behind everything the kernel had, without what the sender kept', async () => {
    const { pipe, seen, write, elapse } = setUp({ windowBytes: FRAME_BYTES });
    pipe.setReading(false);
    write('hello');
    write('never');
    pipe.end('fin');
    await elapse(500);
    expect(seen).toEqual([]);
    pipe.setReading(true);
    await elapse(500);
    expect(seen).toEqual(['hello', 'fin']);
  });

  it('is reset at once, whatever is on the way', async () => {
    const { pipe, seen, write, elapse } = setUp();
    write('hello');
    pipe.end('rst');
    await elapse(500);
    expect(seen).toEqual(['rst']);
  });

  it('delivers nothing and ends never when it is lost', async () => {
    const { pipe, seen, write, elapse } = setUp();
    write('hello');
    pipe.lose();
    pipe.end('fin');
    await elapse(500);
    expect(seen).toEqual([]);
  });

  it('takes as long as its bandwidth says', async () => {
    const { seen, write, elapse } = setUp({ bytesPerSecond: 100, windowBytes: 10_000 });
    write('x'.repeat(98));
    await elapse(900);
    expect(seen).toEqual([]);
    await elapse(200);
    expect(seen).toHaveLength(1);
  });
});
