import { describe, expect, it } from '@jest/globals';
import type { ResumeRequest } from '@runwire/protocol';
import { decideResume } from '../src/resume.js';

describe('what a client asks for', () => {
  const after = (seq: number, id?: string) => ({
    kind: 'after',
    cursor: id === undefined ? { epoch: 'e', seq } : { epoch: 'e', seq, id },
  });

  it('is live without a resume', () => {
    expect(decideResume(undefined)).toEqual({ kind: 'live' });
  });

  it.each<[string, ResumeRequest, unknown]>([
    ['seq 0 without epoch', { seq: 0 }, { kind: 'beginning' }],
    ['seq 0 as text without epoch', { seq: '0', epoch: '' }, { kind: 'beginning' }],
    ['seq 0 without epoch, whatever the id', { seq: 0, id: 7 }, { kind: 'beginning' }],
    ['seq 0 with an epoch', { seq: 0, epoch: 'e' }, after(0)],
    ['a position', { seq: 4, epoch: 'e' }, after(4)],
    ['a position as text', { seq: '4', epoch: 'e', id: 'i' }, after(4, 'i')],
    ['a null id, as none', { seq: 4, epoch: 'e', id: null }, after(4)],
    ['nothing at all', {}, { kind: 'invalid' }],
    ['no epoch', { seq: 4 }, { kind: 'invalid' }],
    ['an epoch that is no text', { seq: 4, epoch: 9 }, { kind: 'invalid' }],
    ['an epoch that is too long', { seq: 4, epoch: 'e'.repeat(129) }, { kind: 'invalid' }],
    ['no seq', { epoch: 'e' }, { kind: 'invalid' }],
    ['a negative seq', { epoch: 'e', seq: -1 }, { kind: 'invalid' }],
    ['a broken seq', { epoch: 'e', seq: 1.5 }, { kind: 'invalid' }],
    ['a seq in words', { epoch: 'e', seq: '1e3' }, { kind: 'invalid' }],
    ['an unsafe seq', { epoch: 'e', seq: '9999999999999999' }, { kind: 'invalid' }],
    ['an id that is no text', { epoch: 'e', seq: 1, id: {} }, { kind: 'invalid' }],
  ])('understands %s', (_title, resume, decision) => {
    expect(decideResume(resume)).toEqual(decision);
  });
});
