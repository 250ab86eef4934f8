import { createHash } from 'node:crypto';
import { link, open, readdir, rm } from 'node:fs/promises';
import { connect, createServer, type Server } from 'node:net';
import { join, relative, resolve } from 'node:path';
import { codeOf, FileLogError, folderUnusable } from './errors.js';

/**
 * Takes a folder for this process. The hold is a listening local socket in it: connectable means held, refused
 * means that its process is gone, however that ended. Settles to what gives the folder back.
 *
 * @throws FileLogError `LOG_IN_USE` when another process has it, or this one already; `LOG_FOLDER_UNUSABLE` when
 * there can be no socket
 */
export async function lockDirectory(directory: string): Promise<() => Promise<void>> {
  try {
    if (process.platform === 'win32') return await lockPipe(directory);
    const folder = await openSocketFolder(directory);
    try {
      return await lockFolder(folder);
    } finally {
      await folder.close();
    }
  } catch (cause) {
    throw cause instanceof FileLogError ? cause : folderUnusable(directory, cause);
  }
}

/** A name says that it is a hold, and which; each is taken once, because a link is made once. */
const HOLD = /^lock-(\d{1,9})$/;
/** A socket that is bound and not published as a hold yet. */
const DRAFT = /^lock-new-\d+-\d+$/;

/**
 * A hold is published when it listens already, so that a refused one is stale for certain. Two processes that
 * find the same stale hold publish the same number, which one of them can; and whoever has published looks
 * around once more, for a process that slept through the whole life of others.
 */
async function lockFolder(folder: SocketFolder): Promise<() => Promise<void>> {
  const before = await folder.names(HOLD);
  for (const name of before) await requireFree(folder, name);
  const numbers = before.map((name) => Number(HOLD.exec(name)?.[1]));
  const name = `lock-${Math.max(0, ...numbers) + 1}`;
  const server = await publish(folder, name);
  const giveBack = async (): Promise<void> => {
    await folder.remove(name);
    await closeServer(server);
  };
  try {
    const others = (await folder.names(HOLD)).filter((other) => other !== name);
    for (const other of others) await requireFree(folder, other);
    for (const stale of [...others, ...(await folder.names(DRAFT))]) {
      if (!(await isHeld(folder, stale))) await folder.remove(stale);
    }
  } catch (cause) {
    await giveBack();
    throw cause;
  }
  return giveBack;
}

/** What a file system says that has no links. */
const NO_LINKS: ReadonlySet<string> = new Set(['EPERM', 'ENOTSUP', 'EOPNOTSUPP', 'ENOSYS', 'EMLINK']);

/** Settles to the socket that listens under the name. */
async function publish(folder: SocketFolder, name: string): Promise<Server> {
  const { server, draft } = await listenAtDraft(folder);
  try {
    await link(join(folder.directory, draft), join(folder.directory, name));
    return server;
  } catch (cause) {
    await closeServer(server);
    // Another has taken this number, or has the folder and has cleared the draft away.
    if (codeOf(cause) === 'EEXIST' || codeOf(cause) === 'ENOENT') throw inUse(folder.directory);
    if (!NO_LINKS.has(codeOf(cause))) throw cause;
    // Between being there and listening such a one looks stale, for an instant.
    return await listenUnlessTaken(folder, name);
  } finally {
    await folder.remove(draft);
  }
}

async function listenUnlessTaken(folder: SocketFolder, name: string): Promise<Server> {
  try {
    return await listen(folder.socketPath(name));
  } catch (cause) {
    throw codeOf(cause) === 'EADDRINUSE' ? inUse(folder.directory) : cause;
  }
}

async function requireFree(folder: SocketFolder, name: string): Promise<void> {
  if (await isHeld(folder, name)) throw inUse(folder.directory);
}

function inUse(directory: string): FileLogError {
  return new FileLogError(
    'LOG_IN_USE',
    `The folder ${directory} is in use by another process: stop it, or choose another folder.`,
    { details: { directory } },
  );
}

/** A folder and the sockets in it. */
interface SocketFolder {
  readonly directory: string;
  /** The path to connect to or listen at. */
  socketPath(name: string): string;
  names(pattern: RegExp): Promise<readonly string[]>;
  /** Does nothing when there is none of that name. */
  remove(name: string): Promise<void>;
  close(): Promise<void>;
}

/** What every system takes as the path of a local socket. */
const MAX_SOCKET_PATH_BYTES = 103;
const LONGEST_NAME = 'lock-new-4194304-99';

/** A local socket's path is short. Where the folder's is not, the one from the working folder may be, or Linux helps. */
async function openSocketFolder(directory: string): Promise<SocketFolder> {
  const short = [directory, relative('', directory)].find(
    (path) => Buffer.byteLength(join(path, LONGEST_NAME)) <= MAX_SOCKET_PATH_BYTES,
  );
  const handle = short === undefined && process.platform === 'linux' ? await open(directory, 'r') : undefined;
  const base = short ?? (handle === undefined ? undefined : `/proc/self/fd/${handle.fd}`);
  if (base === undefined) {
    throw new FileLogError(
      'LOG_FOLDER_UNUSABLE',
      `The event log cannot use ${directory}, whose path is too long for a local socket in it (ENAMETOOLONG): choose a shorter one.`,
      { details: { path: directory, code: 'ENAMETOOLONG' } },
    );
  }
  return {
    directory,
    socketPath: (name) => join(base, name),
    names: async (pattern) => (await readdir(directory)).filter((name) => pattern.test(name)),
    remove: (name) => rm(join(directory, name), { force: true }),
    close: async () => await handle?.close(),
  };
}

async function listenAtDraft(
  folder: SocketFolder,
): Promise<{ readonly server: Server; readonly draft: string }> {
  for (let attempt = 0; ; attempt += 1) {
    const draft = `lock-new-${process.pid}-${attempt}`;
    try {
      return { server: await listen(folder.socketPath(draft)), draft };
    } catch (cause) {
      // A process of the same number has left it behind; it goes when the folder is taken.
      if (codeOf(cause) !== 'EADDRINUSE' || attempt === 99) throw cause;
    }
  }
}

function listen(path: string): Promise<Server> {
  return new Promise((settle, reject) => {
    const server = createServer((socket) => socket.destroy());
    server.once('error', reject);
    server.listen(path, () => {
      // Failing to greet somebody who only asks whether the folder is held harms nobody.
      server.on('error', () => undefined);
      server.unref();
      settle(server);
    });
  });
}

function closeServer(server: Server): Promise<void> {
  return new Promise((settle) => server.close(() => settle()));
}

const STALE_CODES: ReadonlySet<string> = new Set(['ECONNREFUSED', 'ENOENT', 'ENOTSOCK']);

/** @throws the system's error when it does not let us ask */
function isHeld(folder: SocketFolder, name: string): Promise<boolean> {
  return new Promise((settle, reject) => {
    const socket = connect(folder.socketPath(name), () => {
      socket.destroy();
      settle(true);
    });
    socket.once('error', (cause) => {
      const code = codeOf(cause);
      if (STALE_CODES.has(code)) settle(false);
      else if (code === 'EACCES' || code === 'EPERM') reject(cause);
      // Too many wait to be accepted: so somebody listens.
      else settle(true);
    });
  });
}

/** A pipe of Windows is no file: nobody else can listen at its name, and it goes with its process. */
async function lockPipe(directory: string): Promise<() => Promise<void>> {
  const name = createHash('sha256').update(resolve(directory).toLowerCase()).digest('hex');
  try {
    const server = await listen(`\\\\.\\pipe\\runwire-log-${name}`);
    return () => closeServer(server);
  } catch (cause) {
    throw codeOf(cause) === 'EADDRINUSE' ? inUse(directory) : cause;
  }
}
