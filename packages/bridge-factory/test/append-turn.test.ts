import { describe, expect, it } from '@jest/globals';
import { AppendTurn } from '../src/append-turn.js';

/** Runs by name, and the order in which they appended. */
function setUp() {
  const turn = new AppendTurn();
  const appended: string[] = [];
  const gather = (name: string, events: number): void => {
    turn.add({ appendGathered: () => appended.push(name) });
    for (let n = 0; n < events; n += 1) turn.count();
  };
  return { appended, gather };
}

describe('a turn with many events', () => {
  it('appends those of the runs before when one more begins, from 256 on', async () => {
    const { appended, gather } = setUp();
    gather('one', 200);
    gather('two', 55);
    gather('three', 1);
    expect(appended).toEqual([]);
    gather('four', 255);
    expect(appended).toEqual(['one', 'two', 'three']);
    gather('five', 1);
    expect(appended).toEqual(['one', 'two', 'three']);
    gather('six', 1);
    expect(appended).toEqual(['one', 'two', 'three', 'four', 'five']);
    await Promise.resolve();
    expect(appended).toEqual(['one', 'two', 'three', 'four', 'five', 'six']);
  });

  it('leaves what one run emits together, however much it is', async () => {
    const { appended, gather } = setUp();
    gather('one', 10_000);
    expect(appended).toEqual([]);
    await Promise.resolve();
    expect(appended).toEqual(['one']);
  });
});
