import { describe, expect, it } from '@jest/globals';
import { createMemoryDisk, diskError } from '../src/testing/index.js';

const bytes = (text: string): Uint8Array => new TextEncoder().encode(text);
const text = (from: Uint8Array): string => new TextDecoder().decode(from);

describe('a disk in memory', () => {
  it('keeps files as they were written', () => {
    const disk = createMemoryDisk();
    const file = disk.create('a');
    file.write(bytes('hello'), 0);
    file.write(bytes('LLO, you'), 2);
    expect([text(disk.contents('a')), file.size()]).toEqual(['heLLO, you', 10]);
    const target = new Uint8Array(20);
    expect([file.read(target, 7), text(target.subarray(0, 3))]).toEqual([3, 'you']);
    file.truncate(2);
    expect(text(disk.contents('a'))).toBe('he');
    disk.rename('a', 'b');
    expect(disk.list()).toEqual(['b']);
    disk.remove('b');
    expect(() => disk.open('b')).toThrow(expect.objectContaining({ code: 'ENOENT' }));
    expect(() => disk.remove('b')).toThrow(expect.objectContaining({ code: 'ENOENT' }));
  });

  it('refuses what a system refuses: a second file of a name, a file that is closed, a second lock', async () => {
    const disk = createMemoryDisk();
    const file = disk.create('a');
    expect(() => disk.create('a')).toThrow(expect.objectContaining({ code: 'EEXIST' }));
    file.close();
    expect(() => file.write(bytes('x'), 0)).toThrow(expect.objectContaining({ code: 'EBADF' }));
    const release = await disk.lock();
    await expect(disk.lock()).rejects.toMatchObject({ code: 'LOG_IN_USE' });
    await release();
    await (await disk.lock())();
  });

  it('takes what fits and says that it is full', async () => {
    const disk = createMemoryDisk();
    disk.capacityBytes = 8;
    const file = disk.create('a');
    file.write(bytes('12345'), 0);
    expect(() => file.write(bytes('67890'), 5)).toThrow(expect.objectContaining({ code: 'ENOSPC' }));
    expect(text(disk.contents('a'))).toBe('12345678');
    file.write(bytes('xx'), 0);
    file.truncate(4);
    await file.writeLater(bytes('abcd'), 4);
    expect(text(disk.contents('a'))).toBe('xx34abcd');
  });

  it('asks before everything it does, and fails with what is thrown', async () => {
    const disk = createMemoryDisk();
    const asked: string[] = [];
    disk.onOperation = ({ kind, file: name, bytes: size }) => void asked.push(`${kind} ${name} ${size}`);
    const file = disk.create('a');
    file.write(bytes('x'), 0);
    await file.writeLater(bytes('yy'), 1);
    file.read(new Uint8Array(1), 0);
    await file.sync();
    file.truncate(0);
    await disk.syncDirectory();
    disk.rename('a', 'b');
    disk.remove('b');
    expect(asked).toEqual([
      'create a 0',
      'write a 1',
      'write a 2',
      'read a 0',
      'sync a 0',
      'truncate a 0',
      'syncDirectory  0',
      'rename a 0',
      'remove b 0',
    ]);
    disk.onOperation = () => {
      throw diskError('EIO');
    };
    expect(() => disk.create('c')).toThrow('EIO: the disk refused');
    expect(disk.list()).toEqual([]);
  });

  it('is after the death of a process as it was written, and free', async () => {
    const disk = createMemoryDisk();
    await disk.lock();
    disk.create('a').write(bytes('written'), 0);
    const next = disk.afterCrash('process');
    disk.open('a').write(bytes('unseen'), 0);
    expect(text(next.contents('a'))).toBe('written');
    await (await next.lock())();
  });

  it('is after a power loss as it was synced, and as much more as was kept', async () => {
    const disk = createMemoryDisk();
    const file = disk.create('a');
    file.write(bytes('synced'), 0);
    await file.sync();
    await disk.syncDirectory();
    file.write(bytes(' and not'), 6);
    disk.create('b').write(bytes('new'), 0);
    disk.rename('a', 'c');
    expect(text(disk.afterCrash('power').contents('c'))).toBe('synced');
    expect(text(disk.afterCrash('power', 4).contents('c'))).toBe('synced and');
    expect(disk.afterCrash('power', { keptBytes: 2 }).list()).toEqual(['b', 'c']);
    const lost = disk.afterCrash('power', { keepsFolder: false });
    expect([lost.list(), text(lost.contents('a'))]).toEqual([['a'], 'synced']);
  });

  it('keeps for good what was there after a power loss, and not what was there after the death of a process', async () => {
    const disk = createMemoryDisk();
    disk.create('a').write(bytes('written'), 0);
    const kept = disk.afterCrash('power', 5);
    expect(text(kept.afterCrash('power', { keepsFolder: false }).contents('a'))).toBe('writt');
    const next = disk.afterCrash('process');
    expect(text(next.afterCrash('power').contents('a'))).toBe('');
    expect(next.afterCrash('power', { keepsFolder: false }).list()).toEqual([]);
  });

  it('does not make good what a sync has failed for, until that is cut off', async () => {
    const disk = createMemoryDisk();
    const file = disk.create('a');
    file.write(bytes('one'), 0);
    await file.sync();
    file.write(bytes('two'), 3);
    disk.onOperation = () => {
      disk.onOperation = undefined;
      throw diskError('EIO');
    };
    await expect(file.sync()).rejects.toMatchObject({ code: 'EIO' });
    await file.sync();
    expect(text(disk.afterCrash('power').contents('a'))).toBe('one');
    file.truncate(3);
    file.write(bytes('three'), 3);
    await file.sync();
    expect(text(disk.afterCrash('power').contents('a'))).toBe('onethree');
  });

  it('shows a changed file to whoever has it open', () => {
    const disk = createMemoryDisk();
    const file = disk.create('a');
    disk.setContents('a', bytes('changed'));
    expect(file.size()).toBe(7);
  });
});
