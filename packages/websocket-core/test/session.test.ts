import { describe, expect, it } from '@jest/globals';
import { createIdGenerator } from '@runwire/id-generation';
import { createManualClock } from '@runwire/kernel/testing';
import { Session } from '../src/session.js';

const UUID = '0b8cd6b1-9b1c-4c6a-8d3e-2f1f7a4b5c6d';

describe('the context of a connection', () => {
  const ids = createIdGenerator({ clock: createManualClock() });
  const times = { issuedAtMs: 0, expiresAtMs: 1 };

  it('is made once, when it is asked for', () => {
    let made = 0;
    const counting = {
      requestId: () => {
        made += 1;
        return ids.requestId();
      },
    };
    const principal = { userId: ids.userId(), sessionId: ids.sessionId(), ...times };
    const session = new Session(ids.connectionId(), principal, counting);
    expect(made).toBe(0);
    expect(session.context).toBe(session.context);
    expect(session.context).toMatchObject({ userId: principal.userId, sessionId: principal.sessionId });
    expect(made).toBe(1);
  });

  it.each([
    ['a user id that is none', { userId: 'test', sessionId: 'ses' }],
    ['a session id that is blank', { sessionId: ' ' }],
  ])('is refused at once for %s', (_what, wrong) => {
    const principal = { userId: ids.userId(), sessionId: ids.sessionId(), ...times };
    // Without types.
    Object.assign(principal, wrong);
    expect(() => new Session(ids.connectionId(), principal, ids)).toThrow(
      expect.objectContaining({ code: expect.stringMatching(/^FIELD_/) }),
    );
  });

  it('has the sessions of others as they are', () => {
    const principal = { userId: ids.userId(), sessionId: UUID, ...times };
    expect(new Session(ids.connectionId(), principal, ids).context.sessionId).toBe(UUID);
  });
});
