import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import type { AddressInfo } from 'node:net';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { createHarness, failToStart, startServerProcess } from '../harness/index.js';

describe('a server that cannot start', () => {
  let folder: string;

  beforeEach(async () => {
    folder = await mkdtemp(join(tmpdir(), 'runwire-start-'));
  });

  afterEach(() => rm(folder, { recursive: true, force: true }));

  it('[ST-1] names a port in use and what to do, in one line, with exit code 1', async () => {
    const taken = createServer();
    await new Promise<void>((resolve) => taken.listen(0, '127.0.0.1', resolve));
    try {
      const { port } = taken.address() as AddressInfo;
      const { exitCode, stderr } = await failToStart({ PORT: String(port), RUNWIRE_DATA_DIR: folder });
      expect(exitCode).toBe(1);
      expect(stderr).toBe(
        `runwire-server: listen: port ${port} on 127.0.0.1 is in use: stop what uses it or set PORT to a free one\n`,
      );
    } finally {
      await new Promise((resolve) => taken.close(resolve));
    }
  });

  it('[ST-1] names a data folder that cannot be written', async () => {
    await writeFile(join(folder, 'file'), '');
    const { exitCode, stderr } = await failToStart({ RUNWIRE_DATA_DIR: join(folder, 'file', 'data') });
    expect(exitCode).toBe(1);
    expect(stderr).toMatch(
      /^runwire-server: database: the data folder \S+ cannot be written \(ENOTDIR\): make it writable or set RUNWIRE_DATA_DIR .*\n$/,
    );
  });

  it.each([
    [{ PORT: 'eighty' }, 'PORT: expected a whole number from 0 to 65535, got "eighty"'],
    [{ PORT: '65536' }, 'PORT: expected a whole number from 0 to 65535, got "65536"'],
    [
      { LOG_LEVEL: 'loud' },
      'LOG_LEVEL: expected one of trace, debug, info, warn, error, fatal, silent, got "loud"',
    ],
    [
      { RUNWIRE_JWT_SECRET: 'short' },
      'RUNWIRE_JWT_SECRET: expected at least 32 characters, got 5 characters',
    ],
    [{ RUNWIRE_MAX_RUNS: '0' }, 'RUNWIRE_MAX_RUNS: expected a whole number above 0, got "0"'],
    [
      { RUNWIRE_MAX_RUN: '1' },
      'RUNWIRE_MAX_RUN is no variable of this server: see --help for those there are',
    ],
    [
      { RUNWIRE_RUN_IDLE_TIMEOUT_MS: '30000' },
      'RUNWIRE_RUN_IDLE_TIMEOUT_MS must be more than RUNWIRE_TOOL_TIMEOUT_MS',
    ],
    [
      { NODE_ENV: 'production' },
      'RUNWIRE_JWT_SECRET is missing: in production expected at least 32 random characters',
    ],
    [{ DATABASE_URL: 'postgres://x' }, 'DATABASE_URL is set, but this version does not support it: unset it'],
  ])('[ST-1] refuses %j with one line that says what was expected', async (env, line) => {
    const { exitCode, stderr } = await failToStart({
      RUNWIRE_DATA_DIR: folder,
      ...(env as Record<string, string>),
    });
    expect({ exitCode, stderr }).toEqual({ exitCode: 1, stderr: `runwire-server: config: ${line}\n` });
  });
});

describe('a server that starts', () => {
  it('[ST-1] runs its phases in order and shows their times', async () => {
    await using harness = await createHarness();
    const answer = await fetch(new URL('/health/startup', harness.url));
    expect(answer.status).toBe(200);
    const { phases, ready } = (await answer.json()) as {
      ready: boolean;
      phases: { phase: string; durationMs: number }[];
    };
    expect(ready).toBe(true);
    expect(phases.map(({ phase }) => phase)).toEqual([
      'config',
      'logging',
      'database',
      'event log',
      'recovery',
      'pool',
      'bridge factory',
      'agents',
      'router',
      'listen',
      'ready',
    ]);
  });

  it('[TH-1] ends with exit code 0 on SIGTERM and keeps threads, messages and runs for the next start', async () => {
    const dataDirectory = await mkdtemp(join(tmpdir(), 'runwire-restart-'));
    try {
      const first = await createHarness({ dataDirectory });
      const user = await first.register();
      const client = first.bare(user);
      await client.untilControl('caught_up');
      client.send({ type: 'chat', content: 'what is 6 * 7?' });
      const { threadId, runId } = (await client.untilControl('command_accepted'))['result'];
      await client.until('the end', ({ type }) => type === 'agent_completed');
      expect(await first.server.stop()).toBe(0);
      await using second = await startServerProcess({ dataDirectory });
      const call = async (path: string) => {
        const answer = await fetch(new URL(path, second.url), {
          headers: { authorization: `Bearer ${user.accessToken}` },
        });
        return (await answer.json()) as Record<string, unknown>;
      };
      expect(await call(`/api/runs/${runId}`)).toMatchObject({ id: runId, status: 'completed' });
      const { messages } = (await call(`/api/threads/${threadId}`)) as {
        messages: { items: { role: string }[] };
      };
      expect(messages.items.map(({ role }) => role)).toEqual(['user', 'assistant']);
    } finally {
      await rm(dataDirectory, { recursive: true, force: true });
    }
  });
});
