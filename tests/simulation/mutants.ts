/** One break of the code, as a careless edit could make it, that the simulation must find. */
export interface SimulationMutant {
  readonly name: string;
  /** What is broken. */
  readonly what: string;
  /** Relative to the repository. It is broken in what this file is built to. */
  readonly file: string;
  /** Occurs once in the file, and once in what it is built to: an expression, in one line. */
  readonly find: string;
  readonly replace: string;
  /** It is found within so many seeds. */
  readonly withinSeeds: number;
}

/** Tried one by one by `test/mutants.test.ts`: what the simulation cannot find, it does not prove. */
export const MUTANTS: readonly SimulationMutant[] = [
  {
    name: 'lost-wake',
    what: 'an append during the last read of a cursor wakes nobody',
    file: 'packages/bridge-factory/src/cursor-state.ts',
    find: 'event.atHead && !woken',
    replace: 'event.atHead',
    withinSeeds: 400,
  },
  {
    name: 'unbounded-flow',
    what: 'a client that acks is pushed more than may be in flight to it',
    file: 'packages/bridge-factory/src/cursor-flow.ts',
    find: '&& bytes <= this.#window.roomBytes',
    replace: '',
    withinSeeds: 400,
  },
  {
    name: 'wrong-merge',
    what: 'a merged delta says that it covers its last event alone',
    file: 'packages/bridge-factory/src/merge.ts',
    find: 'encodeCovering({ ...last, data }, start.seq)',
    replace: 'encodeCovering({ ...last, data }, last.seq)',
    withinSeeds: 400,
  },
  {
    name: 'resume-one-early',
    what: 'a resume repeats the last event that the client has',
    file: 'packages/bridge-factory/src/resume.ts',
    find: 'log.read(userId, request)',
    replace:
      'log.read(userId, { ...request, after: { epoch: request.after.epoch, seq: Math.max(0, request.after.seq - 1) } })',
    withinSeeds: 400,
  },
  {
    name: 'forgotten-subscription',
    what: 'the last connection of a user leaves the subscription to the log behind',
    file: 'packages/bridge-factory/src/user-stream.ts',
    find: 'this.#unsubscribe?.()',
    replace: 'void 0',
    withinSeeds: 400,
  },
  {
    name: 'forgotten-place',
    what: 'a closed connection keeps its place in the pool',
    file: 'packages/websocket-core/src/connection.ts',
    find: 'this.reservation.release()',
    replace: 'void 0',
    withinSeeds: 400,
  },
  {
    name: 'repeated-append',
    what: 'an append that is repeated under its producer key is made again',
    file: 'packages/event-log/src/producer-state.ts',
    find: "return { kind: 'duplicate', result };",
    replace: 'return APPEND;',
    withinSeeds: 400,
  },
  {
    name: 'unsynced-append',
    what: 'with a sync for each append one is acknowledged before it',
    file: 'packages/event-log-file/src/group-writer.ts',
    find: 'await segment.file.sync()',
    replace: 'await undefined',
    withinSeeds: 400,
  },
  {
    name: 'unwritten-append',
    what: 'an append is acknowledged before it is written',
    file: 'packages/event-log-file/src/group-writer.ts',
    find: 'segment.file.write(bytes, segment.end)',
    replace: 'void 0',
    withinSeeds: 400,
  },
  {
    name: 'lonely-cursor',
    what: 'a cursor is stored with a state that is not its own',
    file: 'packages/client/src/storage-saver.ts',
    find: 'state: storage.state()',
    replace: 'state: new Map()',
    withinSeeds: 400,
  },
  {
    name: 'endless-trust',
    what: 'a client never gives up a connection that is silent',
    file: 'packages/client/src/liveness.ts',
    find: 'silentMs >= heartbeatIntervalMs * DEAD_AFTER_INTERVALS',
    replace: 'silentMs >= heartbeatIntervalMs * 10_000',
    withinSeeds: 400,
  },
  {
    name: 'doubled-frame',
    what: 'the network delivers some frames twice',
    file: 'tests/simulation/src/network/pipe.ts',
    find: 'this.#events.received(next.frame)',
    replace: 'this.#events.received(next.frame), next.end % 97 === 0 && this.#events.received(next.frame)',
    withinSeeds: 400,
  },
];
