import { describe, expect, it } from '@jest/globals';
import type { Decorate } from '../../src/composition/decorate.js';
import { openRawSocket } from '../support/raw-socket.js';
import { start } from '../support/started.js';
import { tempDirectory } from '../support/temp-directory.js';

/** Notes each call of a method of `target` as `name.method`. */
function noting<T extends object>(target: T, name: string, calls: Set<string>): T {
  return new Proxy(target, {
    get(base, key) {
      const value: unknown = Reflect.get(base, key, base);
      if (typeof value !== 'function') return value;
      return (...args: unknown[]) => {
        calls.add(`${name}.${String(key)}`);
        return Reflect.apply(value, base, args) as unknown;
      };
    },
  });
}

describe('what a test puts around the parts of a server', () => {
  it('is used in their place by everybody, recovery included', async () => {
    await using directory = await tempDirectory();
    const calls = new Set<string>();
    const around: Decorate = {
      log: (log) => noting(log, 'log', calls),
      runs: (runs) => noting(runs, 'runs', calls),
      disk: (disk) => noting(disk, 'disk', calls),
      connection: (connection) => noting(connection, 'connection', calls),
    };
    await using started = await start({ RUNWIRE_DATA_DIR: directory.path }, { decorate: around });
    expect([...calls]).toEqual(
      expect.arrayContaining([
        'disk.lock',
        'disk.create',
        'log.openRuns',
        'runs.openRuns',
        'runs.pendingOutbox',
      ]),
    );
    const token = await started.register('somebody@example.org');
    using socket = await openRawSocket(started.server.port, token);
    await socket.hear(({ type }) => type === 'caught_up');
    const { body } = await started.call('POST', '/api/threads', { token, body: {} });
    const path = `/api/threads/${body.id}/messages`;
    await started.call('POST', path, { token, body: { content: 'what is 1 + 1?' } });
    await socket.hear(({ type }) => type === 'agent_completed');
    expect([...calls]).toEqual(
      expect.arrayContaining([
        'log.append',
        'log.subscribe',
        'runs.acceptMessage',
        'runs.finishRun',
        'runs.markAppended',
        'connection.establish',
        'connection.sendFrames',
      ]),
    );
  });
});
