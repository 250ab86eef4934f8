import { isId } from '@runwire/id-generation';
import type { ContestantServer, ServerContestant, ServerOptions } from '../contract.js';
import { type Composition, compose, type LogKind } from './composition.js';
import { type PartChoice, UserRuns } from './user-runs.js';

/** What distinguishes the rows of Runwire. */
export interface Variant {
  readonly log: LogKind;
  readonly parts: PartChoice;
}

/** Runwire with everything on; `variant` says where events are kept and whether they may be merged. */
export function createRunwireServer(variant: Variant): ServerContestant {
  return {
    async start(options) {
      const composition = await compose(options, variant.log);
      return serverOf(composition, runsOf(composition, options, variant.parts));
    },
  };
}

function runsOf(composition: Composition, { users }: ServerOptions, parts: PartChoice): readonly UserRuns[] {
  return users.map(({ id }) => {
    if (!isId('user', id)) throw new Error(`${id} is no user id.`);
    return new UserRuns(composition, id, parts);
  });
}

function serverOf(composition: Composition, runs: readonly UserRuns[]): ContestantServer {
  const { bridge, sockets, meter, port } = composition;
  return {
    port,
    async prepare(first, count) {
      await Promise.all(runs.slice(first, first + count).map((run) => run.begin()));
    },
    async finish() {
      await Promise.all(runs.map((run) => run.end()));
    },
    emit(user, text) {
      const of = runs[user];
      if (of === undefined) throw new Error(`There is no user ${user} in this run.`);
      return of.emit(text);
    },
    stats: () => {
      const { cursors, cursorsBehind, eventsSent, eventsAcked } = bridge.stats();
      const log = composition.logStats();
      return {
        cursors,
        cursorsBehind,
        eventsSent,
        eventsAcked,
        eventsAppended: meter.eventsAppended,
        positions: meter.positions,
        handlers: sockets.stats().handlers,
        logWrites: log?.writes ?? 0,
        logBytes: log?.bytesWritten ?? 0,
        logSyncs: log?.syncs ?? 0,
        logRecords: log?.records ?? 0,
        logIndexBytes: log?.indexBytes ?? 0,
      };
    },
    close: () => composition.close(),
  };
}
