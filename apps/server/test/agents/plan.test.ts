import { describe, expect, it } from '@jest/globals';
import { MAX_COUNT, MAX_TEXT_BYTES, planFor } from '../../src/agents/plan.js';

const calculate = (expression: string) => ({ kind: 'calculate', expression });
const count = (to: number, perSecond?: number) => ({ kind: 'count', to, perSecond });
const tellTime = (place: string) => ({ kind: 'tellTime', place });
const refuse = { kind: 'refuse', reason: expect.any(String) };

describe('the plan', () => {
  const plans: Record<string, object> = {
    'what is 2 + 3 * 4?': calculate('2 + 3 * 4'),
    'What is 2+2': calculate('2+2'),
    "what's (1 - 0.5) / 0 = ?": calculate('(1 - 0.5) / 0'),
    'please calculate -3 ^ 2': calculate('-3 ^ 2'),
    '7 × 6': calculate('7 × 6'),
    'what time is it in Tokyo?': tellTime('Tokyo'),
    'What time is it in New York right now?': tellTime('New York'),
    'time in Atlantis': tellTime('Atlantis'),
    'what time is it at Europe/Paris please': tellTime('Europe/Paris'),
    'What time is it?': tellTime('UTC'),
    'wait 5 seconds': { kind: 'wait', seconds: 5 },
    'Wait for 0.5 s': { kind: 'wait', seconds: 0.5 },
    'count to 500': count(500),
    'count to 500 at 100 per second': count(500, 100),
    'Count up to 1,000 at 2.5/s': count(1_000, 2.5),
    [`count to ${MAX_COUNT}`]: count(MAX_COUNT),
    [`count to ${MAX_COUNT + 1}`]: refuse,
    'count to 0': refuse,
    'count to 5 at 0 per second': refuse,
    'write 200 KB': { kind: 'write', bytes: 200_000 },
    'write 1 byte': { kind: 'write', bytes: 1 },
    'write 1.5 KiB': { kind: 'write', bytes: 1_536 },
    'write 10 MB': { kind: 'write', bytes: MAX_TEXT_BYTES },
    'write 10 MiB': refuse,
    'write 0 bytes': refuse,
    'Hello!': { kind: 'introduce' },
    'what is love?': { kind: 'introduce' },
    '42': { kind: 'introduce' },
    '': { kind: 'introduce' },
  };
  for (const [message, plan] of Object.entries(plans)) {
    it(`for ${JSON.stringify(message)} is ${JSON.stringify(plan)}`, () => {
      expect(planFor(message)).toEqual(plan);
    });
  }

  it('for a long text is made at once, whatever the text', () => {
    const blanks = ' '.repeat(60_000);
    for (const text of [`time in${blanks}1`, `2 + 2${blanks}x`, `time ${'in '.repeat(20_000)}1`]) {
      expect(planFor(text)).toEqual({ kind: 'introduce' });
    }
  });
});
