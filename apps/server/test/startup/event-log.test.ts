import { mkdir, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, it } from '@jest/globals';
import { createMemoryDisk } from '@runwire/event-log-file/testing';
import { startServer } from '../../src/startup/start-server.js';
import { createFailingDisk } from '../support/failing-disk.js';
import { openRawSocket, type Said } from '../support/raw-socket.js';
import { callHttp, type Started, start } from '../support/started.js';
import { tempDirectory } from '../support/temp-directory.js';

const ended = ({ type }: Said): boolean => type === 'agent_completed';
const events = ({ said }: { readonly said: readonly Said[] }) => said.filter(({ id }) => id !== undefined);
/** A test asks until something has happened. */
const ASKING = { RUNWIRE_MAX_REQUESTS_PER_MINUTE: '1000000' };

/** Says something in a new thread; settles to the answer. */
async function say(started: Started, token: string, content: string) {
  const made = await started.call('POST', '/api/threads', { token, body: {} });
  return await started.call('POST', `/api/threads/${made.body.id}/messages`, { token, body: { content } });
}

async function untilEnded(started: Started, token: string, runId: string) {
  for (;;) {
    const { body } = await started.call('GET', `/api/runs/${runId}`, { token });
    if (!['accepted', 'running'].includes(body.status)) return body;
  }
}

async function metric(started: Started, name: string): Promise<number> {
  const { body } = await started.call('GET', '/metrics');
  const line = String(body)
    .split('\n')
    .find((one) => one.startsWith(`${name} `));
  return Number(line?.slice(name.length));
}

describe('the event log of a server', () => {
  it('[TH-1] is in the data folder, and keeps its epoch and its events over a restart', async () => {
    await using directory = await tempDirectory();
    const environment = { RUNWIRE_DATA_DIR: directory.path };
    let token: string;
    let before: Said;
    let established: Said;
    {
      await using first = await start(environment);
      token = await first.register('somebody@example.org');
      using socket = await openRawSocket(first.server.port, token);
      await say(first, token, 'what is 2 + 3?');
      before = await socket.hear(ended);
      established = await socket.hear(({ type }) => type === 'connection_established');
    }
    expect(await readdir(join(directory.path, 'events'))).not.toEqual([]);
    await using second = await start(environment);
    using socket = await openRawSocket(second.server.port, token);
    expect(await socket.hear(({ type }) => type === 'caught_up')).toMatchObject({ seq: before['seq'] });
    expect(socket.said[0]).toMatchObject({
      stream: { epoch: (established['stream'] as { epoch: string }).epoch, head: before['seq'] },
    });
    expect(events(socket)[0]).toMatchObject({ type: 'thread_created', seq: 1 });
    expect(events(socket).at(-1)).toEqual(before);
  });

  it('in memory leaves nothing on the disk, and tells nothing of it', async () => {
    await using directory = await tempDirectory();
    await using started = await start({ RUNWIRE_DATA_DIR: directory.path, RUNWIRE_LOG: 'memory' });
    const token = await started.register('somebody@example.org');
    await say(started, token, 'what is 2 + 3?');
    expect(await readdir(directory.path)).not.toContain('events');
    expect(String((await started.call('GET', '/metrics')).body)).not.toContain('runwire_log_');
  });

  it.each(['never', 'interval', 'always'])('answers with fsync %s', async (fsync) => {
    await using started = await start({ RUNWIRE_LOG_FSYNC: fsync });
    const token = await started.register('somebody@example.org');
    using socket = await openRawSocket(started.server.port, token);
    await say(started, token, 'what is 2 + 3?');
    await expect(socket.hear(ended)).resolves.toMatchObject({ data: { status: 'completed' } });
    expect(await metric(started, 'runwire_log_writes_total')).toBeGreaterThan(0);
  });

  it('[BR-7] has, with fsync always, all that was seen when the power is lost', async () => {
    await using directory = await tempDirectory();
    const environment = { RUNWIRE_DATA_DIR: directory.path, RUNWIRE_LOG_FSYNC: 'always' };
    const disk = createMemoryDisk();
    let left = disk;
    let token: string;
    let seen: readonly Said[];
    {
      await using first = await start(environment, { decorate: { disk: () => disk } });
      token = await first.register('somebody@example.org');
      using socket = await openRawSocket(first.server.port, token);
      await say(first, token, 'what is 2 + 3?');
      await socket.hear(ended);
      left = disk.afterCrash('power', { keepsFolder: false });
      seen = events(socket);
    }
    await using second = await start(environment, { decorate: { disk: () => left } });
    using socket = await openRawSocket(second.server.port, token);
    await socket.hear(({ type }) => type === 'caught_up');
    // A replay joins deltas.
    const whole = (all: readonly Said[]) => all.filter(({ type }) => type !== 'agent_delta');
    expect(whole(events(socket))).toEqual(whole(seen));
  });

  it('[ST-1] names phase, folder and what to do when it cannot be opened', async () => {
    await using directory = await tempDirectory();
    const folder = join(directory.path, 'events');
    const environment = { PORT: '0', RUNWIRE_DATA_DIR: directory.path, LOG_LEVEL: 'silent' };
    await writeFile(folder, 'a file');
    await expect(startServer(environment)).rejects.toMatchObject({
      phase: 'event log',
      message: expect.stringMatching(
        /^event log: the event log in \S+events cannot be opened: .*remove the file/,
      ),
    });
    await rm(folder);
    await mkdir(folder);
    const foreign = join(folder, '0000000001.log');
    await writeFile(foreign, 'this is no segment');
    await expect(startServer(environment)).rejects.toMatchObject({
      phase: 'event log',
      message: expect.stringContaining(
        '0000000001.log is no segment of an event log: move it out of the folder',
      ),
    });
    expect(await readFile(foreign, 'utf8')).toBe('this is no segment');
  });
});

describe('a disk that fails', () => {
  it('fails runs loudly, shows nothing that is not stored, and heals when it takes writes again', async () => {
    const disk = createFailingDisk();
    await using started = await start(ASKING, { decorate: { disk: disk.decorate } });
    const token = await started.register('somebody@example.org');
    using socket = await openRawSocket(started.server.port, token);
    await socket.hear(({ type }) => type === 'caught_up');

    disk.failing = 'ENOSPC';
    const { status, body } = await say(started, token, 'what is 2 + 3?');
    // SQL has taken the message: the answer is that of SQL.
    expect(status).toBe(202);
    await expect(untilEnded(started, token, body.runId)).resolves.toMatchObject({ status: 'failed' });
    expect(events(socket)).toEqual([]);

    // What waits is not overtaken: the next message is refused in words, and nothing of it is kept.
    let refused = await say(started, token, 'and 3 + 4?');
    while (refused.status === 202) {
      await untilEnded(started, token, refused.body.runId);
      refused = await say(started, token, 'and 3 + 4?');
    }
    expect(refused).toMatchObject({
      status: 503,
      body: { error: { code: 'NOT_READY', message: expect.stringContaining('storage') } },
    });
    await expect(started.call('GET', '/health/ready')).resolves.toEqual({
      status: 200,
      body: { ready: true, degraded: ['event log: ENOSPC'] },
    });
    expect(await metric(started, 'runwire_log_failing')).toBe(1);

    disk.failing = undefined;
    const end = await socket.hear(ended);
    expect(end).toMatchObject({ runId: body.runId, data: { status: 'failed' } });
    expect(JSON.stringify(end['data'])).toContain('Our storage does not take anything at the moment');
    expect(socket.said.find(({ type }) => type === 'message_added')).toMatchObject({ runId: body.runId });
    const healed = await untilAccepted(started, token);
    await expect(untilEnded(started, token, healed)).resolves.toMatchObject({ status: 'completed' });
    await socket.hear((message) => ended(message) && message['runId'] === healed);
    await expect(started.call('GET', '/health/ready')).resolves.toEqual({
      status: 200,
      body: { ready: true },
    });
    expect(await metric(started, 'runwire_log_failing')).toBe(0);
    expect(await metric(started, 'runwire_log_failures_total{operation="write"}')).toBeGreaterThan(0);
  }, 30_000);

  it('in the middle of an answer ends the run failed with what was said, once the disk is back', async () => {
    const disk = createFailingDisk();
    await using started = await start(ASKING, { decorate: { disk: disk.decorate } });
    const token = await started.register('somebody@example.org');
    using socket = await openRawSocket(started.server.port, token);
    const { body } = await say(started, token, 'count to 1000 at 100 per second');
    await socket.hear(({ type }) => type === 'agent_delta');
    disk.failing = 'EIO';
    await expect(untilEnded(started, token, body.runId)).resolves.toMatchObject({ status: 'failed' });
    const shown = events(socket).length;
    disk.failing = undefined;
    const end = await socket.hear(ended);
    expect(end).toMatchObject({ seq: shown + 1, data: { status: 'failed', error: { code: 'INTERNAL' } } });
    const { messages } = (await started.call('GET', `/api/threads/${body.threadId}`, { token })).body;
    expect(messages.items.at(-1)).toMatchObject({ role: 'assistant', run: { status: 'failed' } });
  }, 30_000);

  it('at the start is told by the phase, and leaves the folder to the next try', async () => {
    await using directory = await tempDirectory();
    const disk = createFailingDisk();
    disk.failing = 'ENOSPC';
    const environment = { RUNWIRE_DATA_DIR: directory.path };
    await expect(start(environment, { decorate: { disk: disk.decorate } })).rejects.toMatchObject({
      phase: 'event log',
      message: expect.stringContaining('ENOSPC'),
    });
    await using started = await start(environment);
    await expect(callHttp(started.server.url, 'GET', '/health/ready')).resolves.toMatchObject({
      status: 200,
    });
  });
});

/** Says something until it is taken; settles to the run. */
async function untilAccepted(started: Started, token: string): Promise<string> {
  for (;;) {
    const { status, body } = await say(started, token, 'what is 4 + 5?');
    if (status === 202) return body.runId;
  }
}
