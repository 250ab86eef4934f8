import { describe, expect, it } from '@jest/globals';
import { simulate } from './simulate.js';

/** What 2,000 seeds do at least once, or they do not try what they are for. */
const TRIED = [
  'append LOG_WRITE_FAILED',
  'append duplicate',
  'client handler failed',
  'client live over sse',
  'client merged event',
  'client offline',
  'client reset ahead',
  'client reset epoch',
  'client reset fork',
  'client reset trimmed',
  'client stopped 4409',
  'client waiting 1006',
  'client waiting 1012',
  'client waiting 4401',
  'client waiting 4500',
  'kill at append',
  'kill at appended',
  'kill at committed',
  'kill at frame',
  'kill at now',
  'kill at transaction',
  'kill at write',
  'power at now',
  'run cancelled',
  'run completed',
  'run completed after another attempt',
  'run failed',
  'run interrupted',
  'run timed_out',
  'server close 1006',
  'server close 4508',
  'server refused readiness',
  'server replay',
  'thread deleted',
];

describe('2,000 seeds', () => {
  it('[BR-4, BR-6, BR-7, BR-8, AG-4, WS-8] keep every promise, and try what can go wrong', async () => {
    const { code, output } = await simulate('--seeds', '2000', '--tally');
    if (code !== 0) throw new Error(output);
    expect(output).toMatch(/^2000 seeds, 0 failing; 20 of them twice, with equal traces/m);
    const tried = output.split('\n').map((line) => line.replace(/^ *\d+ {2}/, ''));
    expect(tried).toEqual(expect.arrayContaining(TRIED));
  }, 600_000);
});

describe('what seeds have found before', () => {
  it('is found no more', async () => {
    const { code, output } = await simulate('--kept');
    if (code !== 0) throw new Error(output);
    expect(output).toMatch(/^\d+ plans that were kept, 0 failing/m);
  }, 120_000);
});
