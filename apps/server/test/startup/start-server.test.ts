import { once } from 'node:events';
import { readdir, rm, writeFile } from 'node:fs/promises';
import { type AddressInfo, createServer } from 'node:net';
import { join } from 'node:path';
import { describe, expect, it } from '@jest/globals';
import { createDeferred } from '@runwire/kernel';
import { createManualClock, createRecordingLogger, type RecordingLogger } from '@runwire/kernel/testing';
import { STARTUP_PHASES, Startup, type StartupPhase } from '../../src/startup/phases.js';
import { ServerProcess } from '../../src/startup/server-process.js';
import { startServer } from '../../src/startup/start-server.js';
import { rawUpgrade } from '../support/raw-upgrade.js';
import { callHttp, start } from '../support/started.js';
import { tempDirectory } from '../support/temp-directory.js';

const stepsDone = (logger: RecordingLogger): unknown[] =>
  logger.lines.filter(({ message }) => message === 'shutdown step done').map(({ fields }) => fields['step']);

/** Everything there is to close, in the order of its closing. */
const ALL_STEPS = [
  'drain',
  'sockets',
  'http',
  'outbox',
  'bridge factory',
  'connection pool',
  'event log',
  'database',
];

async function freePort(): Promise<number> {
  const server = createServer().listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as AddressInfo;
  server.close();
  await once(server, 'close');
  return port;
}

describe('a start', () => {
  it('[ST-1] goes through all phases in order, and tells how long each took', async () => {
    const asked: StartupPhase[] = [];
    await using started = await start({}, { beforePhase: async (phase) => void asked.push(phase) });
    expect(asked).toEqual([...STARTUP_PHASES]);
    const { ready, phases } = started.server.startup();
    expect(ready).toBe(true);
    expect(phases.map(({ phase }) => phase)).toEqual([...STARTUP_PHASES]);
    await expect(started.call('GET', '/health/startup')).resolves.toMatchObject({
      status: 200,
      body: { ready },
    });
  });

  it('[ST-1] that fails in its first phase opens nothing', async () => {
    await using directory = await tempDirectory();
    const data = join(directory.path, 'data');
    const starting = startServer({ PORT: 'x', RUNWIRE_DATA_DIR: data });
    await expect(starting).rejects.toMatchObject({ code: 'STARTUP_FAILED', phase: 'config' });
    await expect(readdir(directory.path)).resolves.toEqual([]);
  });

  it('[ST-1] names the phase that failed: a data folder that is a file', async () => {
    await using directory = await tempDirectory();
    const file = join(directory.path, 'a-file');
    await writeFile(file, '');
    const logger = createRecordingLogger();
    const starting = startServer({ PORT: '0', RUNWIRE_DATA_DIR: file }, { logger });
    await expect(starting).rejects.toMatchObject({
      phase: 'database',
      message: expect.stringContaining(`database: the data folder ${file} cannot be written`),
    });
    expect(stepsDone(logger)).toEqual([]);
  });

  it('[ST-1] names the phase that failed: a database that is none, and gives the folder back', async () => {
    await using directory = await tempDirectory();
    const file = join(directory.path, 'runwire.db');
    await writeFile(file, 'This is no database, and long enough to be seen as none.'.repeat(99));
    const environment = { PORT: '0', RUNWIRE_DATA_DIR: directory.path };
    const starting = startServer(environment, { logger: createRecordingLogger() });
    await expect(starting).rejects.toMatchObject({ phase: 'database' });
    await rm(file);
    await using again = await start({ RUNWIRE_DATA_DIR: directory.path });
    expect(again.server.startup().ready).toBe(true);
  });

  it('[ST-1] names the phase that failed: a data folder that another server holds', async () => {
    await using directory = await tempDirectory();
    const environment = { RUNWIRE_DATA_DIR: directory.path };
    await using first = await start(environment);
    await expect(start(environment)).rejects.toMatchObject({
      phase: 'database',
      message: expect.stringContaining(`the data folder ${directory.path} is in use by another server`),
    });
    await first.server.close();
    await using second = await start(environment);
    expect(second.server.startup().ready).toBe(true);
  });

  it('[ST-1] names the phase that failed: a signing secret that is none', async () => {
    await using directory = await tempDirectory();
    await writeFile(join(directory.path, 'jwt-secret'), 'short');
    const logger = createRecordingLogger();
    const starting = startServer({ PORT: '0', RUNWIRE_DATA_DIR: directory.path }, { logger });
    await expect(starting).rejects.toMatchObject({
      phase: 'router',
      message: expect.stringContaining('jwt-secret holds 5 characters'),
    });
    expect(stepsDone(logger)).toEqual(['bridge factory', 'connection pool', 'event log', 'database']);
  });

  it('[ST-1] that cannot listen closes again what was opened, last first', async () => {
    await using taken = await start();
    await using directory = await tempDirectory();
    const logger = createRecordingLogger();
    const environment = { PORT: String(taken.server.port), RUNWIRE_DATA_DIR: directory.path };
    await expect(startServer(environment, { logger })).rejects.toMatchObject({ phase: 'listen' });
    expect(stepsDone(logger)).toEqual(ALL_STEPS);
    // The data folder is free for the next try.
    await using again = await start({ RUNWIRE_DATA_DIR: directory.path });
    expect(again.server.startup().ready).toBe(true);
  });

  const opened: Partial<Record<StartupPhase, number>> = {
    'event log': 1,
    recovery: 2,
    'bridge factory': 3,
    agents: 4,
    listen: ALL_STEPS.length,
    ready: ALL_STEPS.length,
  };
  for (const [phase, count] of Object.entries(opened)) {
    it(`[ST-1] interrupted before "${phase}" closes the ${count} that were opened, last first`, async () => {
      await using directory = await tempDirectory();
      const logger = createRecordingLogger();
      const beforePhase = async (name: StartupPhase): Promise<void> => {
        if (name === phase) throw new Error('interrupted');
      };
      const environment = { PORT: '0', RUNWIRE_DATA_DIR: directory.path };
      await expect(startServer(environment, { logger, beforePhase })).rejects.toThrow('interrupted');
      expect(stepsDone(logger)).toEqual(ALL_STEPS.slice(ALL_STEPS.length - count));
    });
  }
});

describe('a server that listens and is not ready', () => {
  it('[WS-2, ST-1] answers sockets 503 with Retry-After, and readiness tells what is missing', async () => {
    const port = await freePort();
    const held = createDeferred();
    const reached = createDeferred();
    const beforePhase = async (phase: StartupPhase): Promise<void> => {
      if (phase !== 'ready') return;
      reached.resolve();
      await held.promise;
    };
    const starting = start({ PORT: String(port) }, { beforePhase });
    await reached.promise;
    const url = `http://127.0.0.1:${port}`;

    const answers = await Promise.all(Array.from({ length: 50 }, () => rawUpgrade(port)));
    for (const { status, headers, body } of answers) {
      expect(status).toBe(503);
      expect(Number(headers['retry-after'])).toBeGreaterThan(0);
      expect(JSON.parse(body).error).toMatchObject({
        code: 'NOT_READY',
        message: 'The server is not ready: ready.',
      });
    }
    await expect(callHttp(url, 'GET', '/ws')).resolves.toMatchObject({ status: 503 });
    await expect(callHttp(url, 'GET', '/health/live')).resolves.toMatchObject({ status: 200 });
    await expect(callHttp(url, 'GET', '/health/ready')).resolves.toEqual({
      status: 503,
      body: { ready: false, missing: ['ready'] },
    });
    const { status, body } = await callHttp(url, 'GET', '/health/startup');
    expect([status, body.ready, body.waitingFor]).toEqual([503, false, 'ready']);

    held.resolve();
    await using started = await starting;
    expect((await rawUpgrade(port)).status).toBe(101);
    await expect(started.call('GET', '/health/ready')).resolves.toEqual({
      status: 200,
      body: { ready: true },
    });
    const { refused, rejected, handlers } = started.server.stats().sockets;
    expect(refused).toEqual({ readiness: 50 });
    expect(rejected).toEqual({});
    expect(handlers).toBe(0);
    expect(started.logger.lines.filter(({ level }) => level === 'error')).toEqual([]);
  });

  it('[ST-1] says what it waits for, then that it is ready, then that it stops', async () => {
    const clock = createManualClock();
    const startup = new Startup(clock);
    const process = new ServerProcess({ clock, logger: createRecordingLogger() }, startup, 1_000);
    expect(process.readiness()).toEqual({ ready: false, missing: ['config'] });
    await startup.run('config', () => undefined);
    expect(process.readiness()).toEqual({ ready: false, missing: ['logging'] });
    process.becomeReady();
    expect(process.readiness()).toEqual({ ready: true });
    const closing = process.close();
    expect(process.readiness()).toEqual({ ready: false, missing: ['stopping'] });
    await expect(closing).resolves.toBe(true);
  });
});

describe('the end of a server', () => {
  it('[ST-2] closes everything once, in order, however often it is asked to', async () => {
    await using started = await start();
    const results = await Promise.all([started.server.close(), started.server.close()]);
    expect(results).toEqual([true, true]);
    expect(stepsDone(started.logger)).toEqual(ALL_STEPS);
    await expect(callHttp(started.server.url, 'GET', '/health/live')).rejects.toThrow();
  });
});
