import { describe, expect, it } from '@jest/globals';
import { createDeferred } from '@runwire/kernel';
import { createHarness } from './support/harness.js';
import { through } from './support/through.js';

const KIB = 1_024;

describe('a log that fails', () => {
  it('closes the connection with 4500 and the id that is in the log line, when read fails', async () => {
    let fails = false;
    const { attach, append, bridge, logger } = createHarness({
      log: (log) => ({
        ...through(log),
        read: (userId, request) => (fails ? Promise.reject(new Error('disk')) : log.read(userId, request)),
      }),
    });
    const { connection, cursor } = await attach();
    connection.bufferedBytes = 64 * KIB;
    await append(1);
    expect(cursor.state).toBe('behind');
    fails = true;
    connection.drain();
    await append(0);
    expect(cursor.state).toBe('closed');
    const line = logger.lines.find(({ level }) => level === 'error');
    expect(connection.closes).toEqual([{ code: 4500, reason: line?.fields['requestId'] }]);
    expect(bridge.stats()).toMatchObject({ cursors: 0, subscriptions: 0 });
  });

  it('settles attach with a closed cursor, and sends nothing', async () => {
    const { attach } = createHarness({
      log: (log) => ({ ...through(log), stream: () => Promise.reject(new Error('away')) }),
    });
    const { connection, cursor } = await attach();
    expect(cursor.state).toBe('closed');
    await cursor.caughtUp;
    expect(connection.sent).toEqual([]);
    expect(connection.closes[0]?.code).toBe(4500);
  });
});

describe('closing', () => {
  it.each(['stream', 'read'] as const)(
    'sends nothing when the connection closes while %s is awaited',
    async (step) => {
      const gate = createDeferred();
      const { bridge, connect, append, clock, epoch } = createHarness({
        log: (log) => ({
          ...through(log),
          async stream(userId) {
            if (step === 'stream') await gate.promise;
            return log.stream(userId);
          },
          async read(userId, request) {
            if (step === 'read') await gate.promise;
            return log.read(userId, request);
          },
        }),
      });
      await append(2);
      const resume = step === 'read' ? { epoch: step === 'read' ? await epoch() : '', seq: 0 } : undefined;
      const connection = connect();
      const attached = bridge.attach(connection, resume);
      await clock.settle();
      connection.close();
      expect(bridge.stats()).toMatchObject({ cursors: 0, subscriptions: 0 });
      gate.resolve();
      expect((await attached).state).toBe('closed');
      expect(connection.sent).toEqual([]);
      expect(connection.listeners).toBe(0);
    },
  );

  it('attaches nothing to a connection that is closed already', async () => {
    const { bridge, connect } = createHarness();
    const connection = connect();
    connection.close();
    const cursor = await bridge.attach(connection, undefined);
    await cursor.caughtUp;
    expect(cursor.state).toBe('closed');
    expect(bridge.stats()).toMatchObject({ cursors: 0, subscriptions: 0 });
  });

  it('stops delivery at once when the cursor is closed, and leaves the connection open', async () => {
    const { attach, append, bridge } = createHarness();
    const { connection, cursor } = await attach();
    cursor.close();
    cursor.close();
    await append(2);
    expect(connection.events).toEqual([]);
    expect(connection.isOpen).toBe(true);
    expect(connection.listeners).toBe(0);
    expect(bridge.stats()).toMatchObject({ cursors: 0, subscriptions: 0 });
  });

  it('leaves nothing behind after many connects and disconnects', async () => {
    const { attach, append, bridge, clock } = createHarness();
    const connections = [];
    for (let cycle = 0; cycle < 200; cycle += 1) {
      const { connection } = await attach(cycle % 2 === 0 ? undefined : { seq: 0 });
      connections.push(connection);
      if (cycle % 5 === 0) await append(1);
      connection.close();
    }
    expect(connections.reduce((sum, connection) => sum + connection.listeners, 0)).toBe(0);
    expect(bridge.stats()).toMatchObject({ cursors: 0, cursorsBehind: 0, subscriptions: 0, emitters: 0 });
    await bridge.close();
    // The log's own tidying is all that is left.
    expect(clock.pendingTimers).toBeLessThanOrEqual(1);
  });

  it('ends every cursor with the factory, which then refuses everything', async () => {
    const { attach, bridge, connect, userId, emitter } = createHarness();
    const { cursor } = await attach();
    emitter();
    await bridge.close();
    await bridge.close();
    expect(cursor.state).toBe('closed');
    expect(bridge.stats()).toMatchObject({ cursors: 0, subscriptions: 0, emitters: 0 });
    const closed = { code: 'BRIDGE_CLOSED' };
    await expect(bridge.attach(connect(), undefined)).rejects.toMatchObject(closed);
    await expect(bridge.appendForUser(userId, [], { id: 'p', attempt: 1, n: 1 })).rejects.toMatchObject(
      closed,
    );
    expect(() => emitter()).toThrow(expect.objectContaining(closed));
  });

  it('refuses a second cursor on one connection', async () => {
    const { attach, bridge } = createHarness();
    const { connection } = await attach();
    await expect(bridge.attach(connection, undefined)).rejects.toMatchObject({
      code: 'BRIDGE_ALREADY_ATTACHED',
    });
  });
});
