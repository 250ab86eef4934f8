import { readFileSync } from 'node:fs';
import { describe, expect, it } from '@jest/globals';
import {
  applyRunEvent,
  decodeClientMessage,
  decodeServerFrame,
  type RunView,
  type RunwireEvent,
  type ServerMessage,
} from '../src/index.js';

const text = readFileSync(new URL('../PROTOCOL.md', import.meta.url), 'utf8');

/** The frames of §9 in order; a line that begins with neither arrow continues the one before. */
const frames = [...text.matchAll(/```text\n(.*?)```/gs)]
  .flatMap(([, block = '']) => block.split(/^(?=[←→])/m))
  .map((frame) => ({ from: frame[0] === '→' ? 'client' : 'server', json: frame.slice(1).trim() }));

const isEvent = (message: ServerMessage): message is RunwireEvent => 'seq' in message && 'data' in message;
const sent = frames.filter((frame) => frame.from === 'server').flatMap(({ json }) => decodeServerFrame(json));

describe('the session in PROTOCOL.md', () => {
  it('consists of frames that decode, and loses no field in decoding', () => {
    expect(frames.length).toBeGreaterThan(10);
    for (const { from, json } of frames) {
      const raw: unknown = JSON.parse(json);
      if (from === 'client') expect(decodeClientMessage(json)).toEqual({ ok: true, message: raw });
      else expect(decodeServerFrame(json)).toEqual(Array.isArray(raw) ? raw : [raw]);
    }
  });

  it('has every event once and in order, over the drop', () => {
    expect(sent.filter(isEvent).map((event) => event.seq)).toEqual([1, 2, 3, 4, 5, 6, 7, 8, 9]);
  });

  it('streams the answer that its end carries', () => {
    const view = sent.filter(isEvent).reduce<RunView | undefined>(applyRunEvent, undefined);
    expect(view).toMatchObject({ status: 'completed', result: '2 + 3 * 4 = 14.' });
    expect(view?.parts.at(-1)).toEqual({ type: 'text', part: 0, text: '2 + 3 * 4 = 14.' });
  });
});
