import { Buffer } from 'node:buffer';
import { describe, expect, it } from '@jest/globals';
import { setScene } from './support/scene.js';

describe('a page', () => {
  it('carries the lines of its events and no others, wherever in the records it begins and ends', async () => {
    await using scene = await setScene();
    const { user, other, log } = scene;
    for (const titles of [['1', 'zwölf', '3'], ['4'], ['5', '6 漢']]) {
      await log.append(
        user,
        titles.map((title) => scene.said(title)),
      );
      // Records of others stand between those that are read together.
      await scene.say(other, 'between');
    }
    const all = await scene.events(user);
    const { epoch } = await log.stream(user);
    for (let seq = 0; seq <= all.length; seq += 1) {
      for (let limitEvents = 1; limitEvents <= all.length; limitEvents += 1) {
        const page = await log.read(user, { after: { epoch, seq }, limitEvents, limitBytes: 100_000 });
        if (page.kind !== 'page') throw new Error(`reset: ${page.reason}`);
        const wanted = all.slice(seq, seq + limitEvents).map(({ json }) => json);
        expect(page.events.map(({ json }) => json)).toEqual(wanted);
        const lines = page.lines === undefined ? '' : Buffer.from(page.lines.bytes).toString();
        expect(lines).toBe(wanted.join('\n'));
      }
    }
  });
});
