import { describe, expect, it } from '@jest/globals';
import { createManualClock } from '@runwire/kernel/testing';
import fc from 'fast-check';
import { AddressBook } from '../src/address-book.js';

const LIMITS = { maxConnectionsPerIp: 3, maxUpgradesPerIpPerSecond: 4, retryAfterMs: 5_000 };

const step = fc.oneof(
  fc.record({ kind: fc.constant('enter' as const), name: fc.constantFrom('a', 'b') }),
  fc.record({ kind: fc.constant('leave' as const), name: fc.constantFrom('a', 'b') }),
  fc.record({ kind: fc.constant('wait' as const), ms: fc.integer({ min: 1, max: 700 }) }),
);

describe('address book', () => {
  it('[CP-1] never holds more than its limits, refuses nothing below them, and forgets who is gone', async () => {
    await fc.assert(
      fc.asyncProperty(fc.array(step, { maxLength: 60 }), async (steps) => {
        const clock = createManualClock();
        const book = new AddressBook(clock, LIMITS);
        const none = (): { connections: number; upgrades: number[] } => ({ connections: 0, upgrades: [] });
        const model = { a: none(), b: none() };
        for (const each of steps) {
          if (each.kind === 'wait') {
            await clock.advance(each.ms);
            continue;
          }
          const address = model[each.name];
          if (each.kind === 'leave') {
            if (address.connections === 0) continue;
            address.connections -= 1;
            book.leave(each.name);
            continue;
          }
          const nowMs = clock.monotonicMs();
          const recent = address.upgrades.filter((atMs) => atMs > nowMs - 1_000);
          const verdict = book.enter(each.name);
          if (recent.length >= LIMITS.maxUpgradesPerIpPerSecond) {
            expect(verdict).toMatchObject({ kind: 'refused', reason: 'rate' });
            continue;
          }
          address.upgrades.push(nowMs);
          if (address.connections >= LIMITS.maxConnectionsPerIp) {
            expect(verdict).toMatchObject({ kind: 'refused', reason: 'address' });
          } else {
            expect(verdict).toEqual({ kind: 'allowed' });
            address.connections += 1;
          }
        }
        for (const name of ['a', 'b'] as const) {
          for (let left = model[name].connections; left > 0; left -= 1) book.leave(name);
        }
        await clock.advance(2_000);
        expect([book.size, clock.pendingTimers]).toEqual([0, 0]);
      }),
    );
  });
});
