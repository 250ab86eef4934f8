import { existsSync } from 'node:fs';
import { link, mkdir, mkdtemp, readdir, rm, writeFile } from 'node:fs/promises';
import { createServer, type Server } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { lockDirectory } from '../src/index.js';
import { codeOf } from './support/calls.js';
import { HolderProcess } from './support/holder-process.js';

describe('the lock of a folder', () => {
  let folder: string;

  beforeEach(async () => {
    folder = await mkdtemp(join(tmpdir(), 'runwire-lock-'));
  });

  afterEach(async () => await rm(folder, { recursive: true, force: true }));

  const taken = (directory = folder): Promise<string> => lockDirectory(directory).then(() => 'held', codeOf);

  it('is had once in a process, and again after it was given back', async () => {
    const giveBack = await lockDirectory(folder);
    await expect(lockDirectory(folder)).rejects.toMatchObject({
      code: 'LOG_IN_USE',
      message: `The folder ${folder} is in use by another process: stop it, or choose another folder.`,
      details: { directory: folder },
    });
    await giveBack();
    expect(await readdir(folder)).toEqual([]);
    await (await lockDirectory(folder))();
  });

  it('is taken by one of many that come at once', async () => {
    const outcomes = await Promise.all(Array.from({ length: 20 }, () => taken()));
    expect(outcomes.filter((outcome) => outcome === 'held')).toHaveLength(1);
    expect(new Set(outcomes)).toEqual(new Set(['held', 'LOG_IN_USE']));
  });

  it('keeps another process out, and is free at once when its process is killed with -9', async () => {
    await using holder = await HolderProcess.start(folder);
    await using next = await HolderProcess.start(folder);
    expect(await holder.open()).toBe('held');
    expect(await taken()).toBe('LOG_IN_USE');
    await holder.kill('SIGKILL');
    expect(await next.open()).toBe('held');
    expect(await taken()).toBe('LOG_IN_USE');
    expect((await readdir(folder)).filter((name) => name.startsWith('lock'))).toHaveLength(1);
  }, 30_000);

  it('is still held by a process that is stopped', async () => {
    await using holder = await HolderProcess.start(folder);
    expect(await holder.open()).toBe('held');
    await holder.kill('SIGSTOP');
    expect(await taken()).toBe('LOG_IN_USE');
  }, 30_000);

  it('is taken by one of several processes that find the same stale one at the same instant', async () => {
    const first = await HolderProcess.start(folder);
    expect(await first.open()).toBe('held');
    await first.kill('SIGKILL');
    const racers = await Promise.all(Array.from({ length: 4 }, () => HolderProcess.start(folder)));
    const outcomes = await Promise.all(racers.map((racer) => racer.open()));
    expect(outcomes.sort()).toEqual(['LOG_IN_USE', 'LOG_IN_USE', 'LOG_IN_USE', 'held']);
    for (const racer of racers) await racer[Symbol.asyncDispose]();
  }, 60_000);

  it('clears away what processes left that died in the middle of taking it', async () => {
    await stale(join(folder, 'lock-3'));
    await stale(join(folder, `lock-new-${process.pid}-0`));
    await stale(join(folder, 'lock-new-1-0'));
    const giveBack = await lockDirectory(folder);
    expect(await readdir(folder)).toEqual(['lock-4']);
    await giveBack();
  });

  it('takes no file for a hold that is none, and leaves it alone', async () => {
    await mkdir(join(folder, 'lock-new'));
    await writeFile(join(folder, 'lock'), 'mine');
    await writeFile(join(folder, 'lock-notes'), 'mine');
    await (await lockDirectory(folder))();
    expect((await readdir(folder)).sort()).toEqual(['lock', 'lock-new', 'lock-notes']);
  });

  it('belongs to its own folder however long the path is, and to no other with the same beginning', async () => {
    const parent = join(folder, 'x'.repeat(120));
    const [one, two] = [join(parent, 'one'), join(parent, 'two')];
    await mkdir(one, { recursive: true });
    await mkdir(two);
    const giveBack = process.platform === 'linux' ? await lockDirectory(one) : async () => undefined;
    // Only Linux knows a shorter way to a deep folder.
    expect(await taken(one)).toBe(process.platform === 'linux' ? 'LOG_IN_USE' : 'LOG_FOLDER_UNUSABLE');
    if (process.platform === 'linux') await (await lockDirectory(two))();
    await giveBack();
    expect([await readdir(one), await readdir(two), await readdir(parent)]).toEqual([[], [], ['one', 'two']]);
    expect(existsSync(join(folder, 'x'.repeat(50)))).toBe(false);
  });

  it('says of a folder that is not there, or cannot have a socket, that it cannot be used', async () => {
    expect(await taken(join(folder, 'absent'))).toBe('LOG_FOLDER_UNUSABLE');
    await writeFile(join(folder, 'file'), '');
    expect(await taken(join(folder, 'file'))).toBe('LOG_FOLDER_UNUSABLE');
  });
});

/** A socket that nobody listens to. */
async function stale(path: string): Promise<void> {
  const moved = `${path}.moved`;
  const server: Server = createServer();
  await new Promise<void>((resolve) => server.listen(moved, resolve));
  await link(moved, path);
  await new Promise<void>((resolve) => server.close(() => resolve()));
}
