import { rm } from 'node:fs/promises';
import { connect, createServer, type Server } from 'node:net';
import { join, relative } from 'node:path';

/** Holds a data folder for this process. */
export interface DataLock {
  release(): Promise<void>;
}

const IN_USE = (directory: string): Error =>
  new Error(
    `the data folder ${directory} is in use by another server: stop it, or set RUNWIRE_DATA_DIR to a folder of its own`,
  );

/**
 * Takes the folder for this process, so that no second one repairs what the first is doing. The lock is a
 * listening local socket: it goes with its process, however that ends. One that nobody answers is stale.
 */
export async function lockDataDirectory(directory: string): Promise<DataLock> {
  const path = socketPath(directory);
  const server = (await listenAt(path)) ?? (await retakeStale(path));
  if (server === undefined) throw IN_USE(directory);
  server.unref();
  return { release: () => new Promise((resolve) => server.close(() => resolve())) };
}

async function retakeStale(path: string): Promise<Server | undefined> {
  if (await isAnswered(path)) return undefined;
  await rm(path, { force: true });
  return await listenAt(path);
}

/** A local socket's path is short; the one from the working folder may be the shorter. */
function socketPath(directory: string): string {
  const path = join(directory, 'lock');
  if (process.platform === 'win32') return `\\\\.\\pipe\\${path}`;
  const fromHere = relative('', path);
  return fromHere.length < path.length ? fromHere : path;
}

/** Undefined when there is such a socket already. */
function listenAt(path: string): Promise<Server | undefined> {
  return new Promise((resolve, reject) => {
    const server = createServer((socket) => socket.destroy());
    server.once('error', (error) => {
      if ('code' in error && error.code === 'EADDRINUSE') resolve(undefined);
      else reject(error);
    });
    server.listen(path, () => resolve(server));
  });
}

function isAnswered(path: string): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = connect(path, () => {
      socket.destroy();
      resolve(true);
    });
    socket.once('error', () => resolve(false));
  });
}
