// @ts-check
// Where a server can be ended: a wrapper around each of its ports counts what passes, before and after it.

/** @import { Decorate } from '@runwire/server' */

/** Every point there is, in the order of a message's way. `torn` leaves half of a write. */
export const CRASH_POINTS = Object.freeze([
  'sql-commit:before',
  'sql-commit:after',
  'append:before',
  'append:after',
  'write:before',
  'write:torn',
  'write:after',
  'wake:before',
  'wake:after',
  'frame:before',
  'frame:after',
  'terminal-commit:before',
  'terminal-commit:after',
  'terminal-append:before',
  'terminal-append:after',
  'erase:before',
  'erase:after',
  'segment-change:before',
  'segment-change:after',
]);

/**
 * Ends the process at the n-th hit of a point, without a word, as kill -9 does.
 * @param {string | undefined} spec such as `append:after:17`; undefined for never
 * @returns {(point: string) => boolean} says whether the hit is the one; `arrive` ends the process
 */
function createCounter(spec) {
  if (spec === undefined) return () => false;
  const [, point, count] = /^([a-z-]+:[a-z]+):(\d+)$/.exec(spec) ?? [];
  if (point === undefined || !CRASH_POINTS.includes(point)) throw new Error(`No crash point: ${spec}`);
  let left = Number(count);
  return (hit) => {
    if (hit !== point) return false;
    left -= 1;
    return left === 0;
  };
}

/** @returns {never} */
function die() {
  process.kill(process.pid, 'SIGKILL');
  // The signal is on its way; nothing more happens here.
  for (;;);
}

/**
 * Wrappers that end the process at one point.
 * @param {string | undefined} spec such as `append:after:17`
 * @returns {Required<Omit<Decorate, 'maxSegmentBytes' | 'bridge'>>}
 */
export function createCrashPoints(spec) {
  const isDue = createCounter(spec);
  /** @param {string} point */
  const arrive = (point) => {
    if (isDue(point)) die();
  };
  /**
   * @template T
   * @param {string} point
   * @param {() => Promise<T>} work
   */
  const around = async (point, work) => {
    arrive(`${point}:before`);
    const result = await work();
    arrive(`${point}:after`);
    return result;
  };
  return {
    runs: (runs) =>
      override(runs, {
        acceptMessage: (request) => around('sql-commit', () => runs.acceptMessage(request)),
        finishRun: (finish) => around('terminal-commit', () => runs.finishRun(finish)),
      }),
    log: (log) =>
      override(log, {
        append: (userId, drafts, options) => {
          const isTerminal = drafts.some(({ type }) => type === 'agent_completed');
          return around(isTerminal ? 'terminal-append' : 'append', () => log.append(userId, drafts, options));
        },
        erase: (userId, what) => around('erase', () => log.erase(userId, what)),
        subscribe: (userId, onWake) =>
          log.subscribe(userId, (batch) => {
            arrive('wake:before');
            onWake(batch);
            arrive('wake:after');
          }),
      }),
    disk: (disk) =>
      override(disk, {
        open: (name) => crashingFile(disk.open(name), { isDue, arrive }),
        create: (name) => {
          arrive('segment-change:before');
          const file = disk.create(name);
          arrive('segment-change:after');
          return crashingFile(file, { isDue, arrive });
        },
      }),
    connection: (connection) =>
      override(connection, {
        sendFrames: (frames) => {
          arrive('frame:before');
          connection.sendFrames(frames);
          arrive('frame:after');
        },
      }),
  };
}

/**
 * @param {import('@runwire/event-log-file').LogFile} file
 * @param {{ isDue: (point: string) => boolean, arrive: (point: string) => void }} points
 * @returns {import('@runwire/event-log-file').LogFile}
 */
function crashingFile(file, { isDue, arrive }) {
  /**
   * @param {Uint8Array} bytes
   * @param {number} position
   */
  const before = (bytes, position) => {
    arrive('write:before');
    if (!isDue('write:torn')) return;
    file.write(bytes.subarray(0, Math.ceil(bytes.length / 2)), position);
    die();
  };
  return override(file, {
    write: (bytes, position) => {
      before(bytes, position);
      file.write(bytes, position);
      arrive('write:after');
    },
    writeLater: async (bytes, position) => {
      before(bytes, position);
      await file.writeLater(bytes, position);
      arrive('write:after');
    },
  });
}

/**
 * An object in which some methods are others; everything else, private fields included, is the target's.
 * @template {object} T
 * @param {T} target
 * @param {Partial<T>} methods
 * @returns {T}
 */
export function override(target, methods) {
  return new Proxy(target, {
    get(object, key) {
      if (Object.hasOwn(methods, key)) return Reflect.get(methods, key);
      const value = Reflect.get(object, key, object);
      return typeof value === 'function' ? value.bind(object) : value;
    },
  });
}
