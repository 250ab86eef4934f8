import { expect, test } from '@jest/globals';
import { RING_EVENTS, Ring } from '../../src/contestants/ring.js';

test('a ring gives what came after a number', () => {
  const ring = new Ring();
  for (const item of ['a', 'b', 'c']) ring.push(item);
  expect(ring.head).toBe(3);
  expect([...ring.after(1)]).toEqual(['b', 'c']);
  expect([...ring.after(3)]).toEqual([]);
});

test('a ring keeps the newest, however many there were', () => {
  const ring = new Ring();
  for (let number = 1; number <= RING_EVENTS + 10; number += 1) ring.push(String(number));
  const kept = [...ring.after(0)];
  expect(kept).toHaveLength(RING_EVENTS);
  expect(kept[0]).toBe('11');
  expect(kept.at(-1)).toBe(String(RING_EVENTS + 10));
});
