import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { CLIENT_MESSAGE_SCHEMAS, decodeClientMessage, LIMITS } from '../src/index.js';

const decode = (value: unknown) => decodeClientMessage(JSON.stringify(value));

/** A message with an ignored field that makes it exactly `bytes` long. */
function messageOfBytes(bytes: number, filler: string): string {
  const frame = '{"type":"ping","x":""}';
  const rest = bytes - frame.length;
  const size = Buffer.byteLength(filler);
  const text = filler.repeat(Math.floor(rest / size)) + 'a'.repeat(rest % size);
  return frame.replace('""', `"${text}"`);
}

function nested(depth: number, open = '[', close = ']'): string {
  return `{"type":"ping","x":${open.repeat(depth - 1)}${close.repeat(depth - 1)}}`;
}

describe('bad input', () => {
  it.each([
    ['', 'INVALID_JSON'],
    ['{', 'INVALID_JSON'],
    ['{"type":"ping"', 'INVALID_JSON'],
    ['hello', 'INVALID_JSON'],
    ['{"type":"ping"}x', 'INVALID_JSON'],
    ['null', 'INVALID_MESSAGE'],
    ['3', 'INVALID_MESSAGE'],
    ['"ping"', 'INVALID_MESSAGE'],
    ['[]', 'INVALID_MESSAGE'],
    ['[{"type":"ping"}]', 'INVALID_MESSAGE'],
    ['{}', 'INVALID_MESSAGE'],
    ['{"type":3}', 'INVALID_MESSAGE'],
    ['{"type":null}', 'INVALID_MESSAGE'],
    ['{"type":""}', 'UNKNOWN_MESSAGE_TYPE'],
    ['{"type":"Ping"}', 'UNKNOWN_MESSAGE_TYPE'],
    ['{"type":"caught_up","seq":1}', 'UNKNOWN_MESSAGE_TYPE'],
    ['{"type":"__proto__"}', 'UNKNOWN_MESSAGE_TYPE'],
    ['{"type":"constructor"}', 'UNKNOWN_MESSAGE_TYPE'],
    ['{"type":"toString"}', 'UNKNOWN_MESSAGE_TYPE'],
    ['{"type":"ack"}', 'INVALID_MESSAGE'],
    ['{"type":"ack","seq":"1"}', 'INVALID_MESSAGE'],
    ['{"type":"ping","n":1e999}', 'INVALID_MESSAGE'],
    ['{"type":"ping","n":null}', 'INVALID_MESSAGE'],
    ['{"type":"user_message"}', 'INVALID_MESSAGE'],
    ['{"type":"chat"}', 'INVALID_MESSAGE'],
    ['{"type":"refresh_token","token":"x"}', 'INVALID_MESSAGE'],
  ])('[WS-6] %s is answered with %s', (text, code) => {
    const decoded = decodeClientMessage(text);
    expect(decoded).toMatchObject({ ok: false, error: { code, retryable: false } });
    expect(decoded).not.toHaveProperty('ref');
  });

  it('[WS-6] a broken schema names the path of each issue', () => {
    expect(decode({ type: 'stop_agent', runId: 7 })).toMatchObject({
      error: { code: 'INVALID_MESSAGE', details: { issues: [{ path: 'runId' }] } },
    });
    expect(decode({ type: 'resolve_approval' })).toMatchObject({
      error: { details: { issues: [{ path: 'runId' }, { path: 'toolCallId' }, { path: 'approved' }] } },
    });
  });

  it('the issues are few and short whatever the message', () => {
    const content = Array.from({ length: 500 }, () => ({ type: 'text', ['k'.repeat(90)]: 1 }));
    const decoded = decode({ type: 'user_message', content, metadata: 1, id: '?', agent: 2, onBusy: 3 });
    expect(decoded.ok).toBe(false);
    expect(JSON.stringify(decoded).length).toBeLessThan(6_000);
    const unknown = decode({ type: 'x'.repeat(60_000) });
    expect(JSON.stringify(unknown).length).toBeLessThan(400);
  });

  it.each([
    ['stop_agent', 'c-1_A', 'c-1_A'],
    ['nonsense', 'c1', 'c1'],
    ['stop_agent', 'a'.repeat(65), undefined],
    ['stop_agent', 'a b', undefined],
    ['stop_agent', 'a\n', undefined],
    ['stop_agent', 7, undefined],
  ])('[WS-6] the answer to a broken %s with id %j refers to %s', (type, id, ref) => {
    const decoded = decode({ type, id });
    expect(decoded.ok ? 'ok' : decoded.ref).toBe(ref);
  });
});

describe('limits', () => {
  it.each([
    ['ASCII', 'a'],
    ['two bytes', 'é'],
    ['three bytes', '€'],
    ['four bytes', '👋'],
  ])('[WS-6] a message of 65,536 bytes is taken and one of 65,537 refused: %s', (_name, filler) => {
    const at = messageOfBytes(LIMITS.maxMessageBytes, filler);
    const above = messageOfBytes(LIMITS.maxMessageBytes + 1, filler);
    expect(Buffer.byteLength(at)).toBe(65_536);
    expect(decodeClientMessage(at)).toEqual({ ok: true, message: { type: 'ping' } });
    expect(Buffer.byteLength(above)).toBe(65_537);
    expect(decodeClientMessage(above)).toMatchObject({
      ok: false,
      error: { code: 'MESSAGE_TOO_LARGE', details: { maxMessageBytes: 65_536 } },
    });
  });

  it('bytes are counted as UTF-8 has them, lone surrogates too', () => {
    fc.assert(
      fc.property(fc.string({ unit: 'binary', maxLength: 20 }), fc.nat(80), (text, maxMessageBytes) => {
        const decoded = decodeClientMessage(text, { maxMessageBytes, maxJsonDepth: 32 });
        const tooLarge = !decoded.ok && decoded.error.code === 'MESSAGE_TOO_LARGE';
        expect(tooLarge).toBe(Buffer.byteLength(text) > maxMessageBytes);
      }),
    );
    for (const text of ['\ud800', '\udc00', '\ud800a', 'a\udc00', '\udc00\ud800', '\ud83d\udc4b']) {
      const bytes = Buffer.byteLength(text);
      const code = (maxMessageBytes: number) => {
        const decoded = decodeClientMessage(text, { maxMessageBytes, maxJsonDepth: 32 });
        return decoded.ok ? 'ok' : decoded.error.code;
      };
      expect([code(bytes), code(bytes - 1)]).toEqual(['INVALID_JSON', 'MESSAGE_TOO_LARGE']);
    }
  });

  it.each([
    ['arrays', '[', ']'],
    ['objects', '{"a":', '}'],
  ])('[WS-6] nesting of 32 is taken and of 33 refused: %s', (_name, open, close) => {
    const fill = (depth: number) => nested(depth, open, close).replace(`${open}${close}`, `${open}1${close}`);
    expect(decodeClientMessage(fill(32))).toEqual({ ok: true, message: { type: 'ping' } });
    expect(decodeClientMessage(fill(33))).toMatchObject({
      ok: false,
      error: { code: 'INVALID_MESSAGE', details: { maxJsonDepth: 32 } },
    });
  });

  it('brackets inside strings are no nesting, whatever is escaped before them', () => {
    for (const text of [
      '['.repeat(100),
      `\\${'{'.repeat(100)}`,
      `"${'['.repeat(100)}`,
      `\\"${'['.repeat(99)}\\`,
    ]) {
      expect(decode({ type: 'user_message', content: text })).toMatchObject({ message: { content: text } });
    }
  });

  it('[WS-6] 65,000 open brackets cost one pass and no stack', () => {
    expect(decodeClientMessage('['.repeat(65_000))).toMatchObject({ error: { code: 'INVALID_MESSAGE' } });
  });

  it('depth as scanned is depth as parsed', () => {
    fc.assert(
      fc.property(fc.json({ maxDepth: 6 }), (json) => {
        const depth = depthOf(JSON.parse(json));
        for (const maxJsonDepth of [depth, Math.max(0, depth - 1)]) {
          const decoded = decodeClientMessage(json, { maxMessageBytes: 1e6, maxJsonDepth });
          const tooDeep = !decoded.ok && decoded.error.details?.['maxJsonDepth'] !== undefined;
          expect(tooDeep).toBe(depth > maxJsonDepth);
        }
      }),
    );
  });
});

describe('what is taken', () => {
  it('`chat` is another name of `user_message`', () => {
    expect(decodeClientMessage('{"type":"chat","content":"test"}')).toEqual({
      ok: true,
      message: { type: 'user_message', content: 'test' },
    });
  });

  it('blank content is no decode error', () => {
    for (const content of ['', '  \n', []]) {
      expect(decode({ type: 'chat', content })).toMatchObject({ ok: true });
    }
  });

  it('a user id inside a message is dropped', () => {
    expect(decode({ type: 'user_message', content: 'x', userId: 'usr_other' })).toEqual({
      ok: true,
      message: { type: 'user_message', content: 'x' },
    });
  });

  it('`__proto__` and `constructor` keys pollute nothing', () => {
    const text = `{"type":"user_message","content":"x","__proto__":{"polluted":1},
      "metadata":{"__proto__":{"polluted":1},"constructor":{"prototype":{"polluted":1}},"a":1}}`;
    const decoded = decodeClientMessage(text);
    expect(decoded).toMatchObject({ ok: true, message: { metadata: { a: 1 } } });
    expect('polluted' in {}).toBe(false);
    expect(decoded.ok && 'polluted' in decoded.message).toBe(false);
    expect(decodeClientMessage('{"__proto__":{"type":"ping"}}')).toMatchObject({ ok: false });
    expect(decodeClientMessage('{"type":"ping","__proto__":{"n":"x"}}')).toEqual({
      ok: true,
      message: { type: 'ping' },
    });
  });

  it.each([5, 'x', null, [], true])('a resume of %j is taken as one that does not parse', (resume) => {
    expect(decode({ type: 'authenticate', token: 't', resume })).toEqual({
      ok: true,
      message: { type: 'authenticate', token: 't', resume: {} },
    });
  });

  it('`ack` and `ping` by hand agree with their schemas', () => {
    const value = fc.oneof(fc.jsonValue({ maxDepth: 1 }), fc.integer(), fc.double(), fc.maxSafeInteger());
    const fields = fc.dictionary(fc.constantFrom('seq', 'n', 'id', 'x', '__proto__'), value);
    fc.assert(
      fc.property(fc.constantFrom('ack' as const, 'ping' as const), fields, (type, rest) => {
        const text = JSON.stringify({ ...rest, type });
        const decoded = decodeClientMessage(text);
        const parsed = CLIENT_MESSAGE_SCHEMAS[type].safeParse(JSON.parse(text));
        expect(decoded.ok).toBe(parsed.success);
        if (decoded.ok) expect(decoded.message).toEqual(parsed.data);
      }),
      { numRuns: 1_000 },
    );
  });

  it('nothing makes it throw', () => {
    fc.assert(
      fc.property(fc.oneof(fc.string(), fc.json()), (text) => {
        expect(typeof decodeClientMessage(text).ok).toBe('boolean');
      }),
    );
  });
});

function depthOf(value: unknown): number {
  if (typeof value !== 'object' || value === null) return 0;
  return 1 + Math.max(0, ...Object.values(value).map(depthOf));
}
