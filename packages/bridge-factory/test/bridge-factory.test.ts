import { describe, expect, it } from '@jest/globals';
import { createMemoryEventLog } from '@runwire/event-log';
import { createIdGenerator } from '@runwire/id-generation';
import { createManualClock, createRecordingLogger } from '@runwire/kernel/testing';
import type { BridgeFactoryDeps } from '../src/index.js';
import { BRIDGE_ERROR_CODES, BridgeError, createWebSocketBridgeFactory } from '../src/index.js';

const clock = createManualClock();
const logger = createRecordingLogger();
const ids = createIdGenerator({ clock });
const log = createMemoryEventLog({ clock, ids, logger });
const connections = { connectionsOf: () => [] };
const deps: BridgeFactoryDeps = { log, connections, ids, clock, logger };

describe('the bridge factory', () => {
  it.each(['log', 'connections', 'ids', 'clock', 'logger'] as const)(
    '[BR-1] cannot be built without %s: the error names it',
    (name) => {
      for (const missing of [
        { ...deps, [name]: undefined },
        { ...deps, [name]: null },
      ]) {
        const build = () => createWebSocketBridgeFactory(missing as never);
        expect(build).toThrow(BridgeError);
        expect(build).toThrow(
          expect.objectContaining({ code: 'BRIDGE_MISSING_DEPENDENCY', details: { dependency: name } }),
        );
      }
    },
  );

  it('[BR-1] cannot be built without its dependencies: each is a compile error', () => {
    const { log: _log, ...withoutLog } = deps;
    const { connections: _connections, ...withoutConnections } = deps;
    // @ts-expect-error log is required
    expect(() => createWebSocketBridgeFactory(withoutLog)).toThrow('"log"');
    // @ts-expect-error connections are required
    expect(() => createWebSocketBridgeFactory(withoutConnections)).toThrow('"connections"');
    // @ts-expect-error so are all of them
    expect(() => createWebSocketBridgeFactory()).toThrow('"log"');
  });

  it('starts with every count at zero', () => {
    expect(createWebSocketBridgeFactory(deps).stats()).toEqual({
      cursors: 0,
      cursorsBehind: 0,
      subscriptions: 0,
      emitters: 0,
      eventsSent: 0,
      eventsAcked: 0,
      acksRejected: 0,
      resyncsRejected: 0,
    });
  });

  it('is disposed like any other resource', async () => {
    const bridge = createWebSocketBridgeFactory(deps);
    await bridge[Symbol.asyncDispose]();
    await expect(bridge.appendForUser(ids.userId(), [], { id: 'p', attempt: 1, n: 1 })).rejects.toMatchObject(
      {
        code: 'BRIDGE_CLOSED',
      },
    );
  });

  it('refuses an option that makes no sense', () => {
    const build = () => createWebSocketBridgeFactory(deps, { delivery: { maxPageEvents: 0 } });
    expect(build).toThrow(expect.objectContaining({ code: 'BRIDGE_INVALID_OPTION' }));
  });

  it('has a closed list of codes', () => {
    expect(BRIDGE_ERROR_CODES).toEqual([
      'BRIDGE_ALREADY_ATTACHED',
      'BRIDGE_CLOSED',
      'BRIDGE_INVALID_OPTION',
      'BRIDGE_MISSING_DEPENDENCY',
      'EMITTER_CLOSED',
      'EMITTER_EXISTS',
      'EMIT_FAILED',
      'EMIT_OVERFLOW',
      'LARGE_VALUE_NOT_STORED',
    ]);
  });
});
