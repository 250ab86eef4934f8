import type { AppendResult, Producer } from '@runwire/event-log';
import { encodeErased } from '@runwire/event-log';
import type { EventId, RunId, ThreadId } from '@runwire/id-generation';
import { type EventDraft, encodeEvent } from '@runwire/protocol';
import type { Call } from './calls.js';
import type { StreamView } from './picture.js';

interface ModelEvent {
  readonly draft: EventDraft;
  readonly at: number;
  readonly isErased: boolean;
  /** Known from when it was first seen. */
  readonly id: EventId | undefined;
}

interface ModelRun {
  readonly threadId: ThreadId;
  readonly attempt: number;
  readonly startedSeq: number;
}

type Positions = Pick<AppendResult, 'firstSeq' | 'lastSeq'>;

/** An append under a producer key that the log must answer as it did the first time. */
export interface ModelProducer extends Producer {
  readonly drafts: readonly EventDraft[];
  /** Of the appends of this attempt that are remembered, by `n`. */
  readonly results: ReadonlyMap<number, Positions>;
}

/** How much a stream keeps. */
export interface ModelLimits {
  readonly maxEvents: number;
  readonly maxAgeMs: number;
}

/**
 * One user's stream, as plain as can be: what a log on a disk must look like. It never changes: each call makes
 * another, so that what may have happened can be tried.
 */
export class StreamModel {
  readonly first: number = 1;
  readonly head: number = 0;
  readonly producers: ReadonlyMap<string, ModelProducer> = new Map();
  readonly ended: ReadonlySet<RunId> = new Set();
  readonly open: ReadonlyMap<RunId, ModelRun> = new Map();
  readonly #events: ReadonlyMap<number, ModelEvent>;
  readonly #limits: ModelLimits;

  constructor(limits: ModelLimits, events: ReadonlyMap<number, ModelEvent> = new Map()) {
    this.#limits = limits;
    this.#events = events;
  }

  /** The stream after a call that nothing was in the way of, and what the call settles to. */
  after(call: Call, at: number): { readonly model: StreamModel; readonly outcome: unknown } {
    switch (call.do) {
      case 'append':
        return this.#append(call.drafts, call.producer, at);
      case 'trim':
        return { model: this.#from(call.before), outcome: undefined };
      case 'erase':
        return this.#erase(call.threadId);
    }
  }

  /** Without what is too old, or too much. */
  aged(nowMs: number): StreamModel {
    const { maxAgeMs, maxEvents } = this.#limits;
    let first = Math.max(this.first, this.head - maxEvents + 1);
    while (first <= this.head && (this.#events.get(first)?.at ?? 0) < nowMs - maxAgeMs) first += 1;
    return this.#from(first);
  }

  /** What the view has and this has not; undefined when they are the same. */
  difference(view: StreamView): string | undefined {
    if (view.first !== this.first || view.head !== this.head) {
      return `${view.first}–${view.head} instead of ${this.first}–${this.head}`;
    }
    for (const { seq, id, json } of view.events) {
      const event = this.#events.get(seq);
      if (event === undefined || json !== jsonOf(event, seq, id)) return `at ${seq} stands ${json}`;
    }
    const open = this.#openRuns();
    const runs = view.openRuns.map(({ runId, attempt, firstSeq }) => `${runId} ${attempt} ${firstSeq}`);
    return runs.join() === open.join() ? undefined : `open are ${runs.join()} instead of ${open.join()}`;
  }

  /** Events of the view that were never at their place. What was erased may be there as it was. */
  contradictions(view: StreamView): readonly string[] {
    return view.events.flatMap(({ seq, id, json }) => {
      const event = this.#events.get(seq);
      const isKnown =
        event !== undefined &&
        [true, false].some((isErased) => json === jsonOf({ ...event, isErased }, seq, id));
      return isKnown ? [] : [json];
    });
  }

  /** The same, with the ids that a view shows: they never change again. */
  seen(view: StreamView): StreamModel {
    const events = new Map(this.#events);
    for (const { seq, id } of view.events) {
      const event = events.get(seq);
      if (event !== undefined) events.set(seq, { ...event, id });
    }
    return this.#with({}, events);
  }

  /** The same, without runs and producers that a log may have forgotten. */
  forgetful(): StreamModel {
    return this.#with({ producers: new Map(), ended: new Set() });
  }

  #append(drafts: readonly EventDraft[], producer: Producer | undefined, at: number) {
    const known = producer && this.producers.get(producer.id);
    if (producer !== undefined) {
      const answer = answerTo(known, producer);
      if (answer !== undefined) return { model: this, outcome: answer };
    }
    if (drafts.some(({ runId }) => this.ended.has(runId as RunId)))
      return { model: this, outcome: 'RUN_ENDED' };
    const positions = { firstSeq: this.head + 1, lastSeq: this.head + drafts.length };
    const events = new Map(this.#events);
    for (const [index, draft] of drafts.entries()) {
      events.set(positions.firstSeq + index, { draft, at, isErased: false, id: undefined });
    }
    let model = this.#with({ head: positions.lastSeq }, events);
    if (producer !== undefined) model = model.#noted(producer, drafts, positions);
    for (const [index, draft] of drafts.entries()) {
      model = model.#ran(draft, positions.firstSeq + index, producer);
    }
    return { model: model.aged(at), outcome: { ...positions, duplicate: false } };
  }

  #noted(producer: Producer, drafts: readonly EventDraft[], positions: Positions): StreamModel {
    const known = this.producers.get(producer.id);
    const earlier = known?.attempt === producer.attempt ? known.results : [];
    const results = new Map(earlier).set(producer.n, positions);
    return this.#with({
      producers: new Map(this.producers).set(producer.id, { ...producer, drafts, results }),
    });
  }

  #ran(draft: EventDraft, seq: number, producer: Producer | undefined): StreamModel {
    const runId = draft.runId as RunId;
    if (draft.type === 'agent_started') {
      const known = this.open.get(runId);
      const attempts = [
        draft.data.attempt,
        known?.attempt ?? 0,
        producer?.id === runId ? producer.attempt : 0,
      ];
      const run = {
        threadId: draft.threadId as ThreadId,
        attempt: Math.max(...attempts),
        startedSeq: known?.startedSeq ?? seq,
      };
      return this.#with({ open: new Map(this.open).set(runId, run) });
    }
    if (draft.type !== 'agent_completed') return this;
    const producers = new Map(this.producers);
    const concluded = producer?.id === runId ? producers.get(runId) : undefined;
    if (concluded !== undefined) {
      const results = [...concluded.results].slice(-1);
      producers.set(runId, { ...concluded, results: new Map(results) });
    }
    return this.#with({
      producers,
      ...this.#withoutRuns((id) => id === runId),
      ended: new Set(this.ended).add(runId),
    });
  }

  #erase(threadId: ThreadId) {
    let erased = 0;
    const events = new Map(this.#events);
    for (const [seq, event] of events) {
      if (event.isErased || event.draft.threadId !== threadId || event.draft.type === 'thread_deleted')
        continue;
      erased += 1;
      events.set(seq, { ...event, isErased: true });
    }
    const runs = this.#withoutRuns((_, run) => run.threadId === threadId);
    return { model: this.#with(runs, events), outcome: erased };
  }

  #withoutRuns(isOver: (runId: RunId, run: ModelRun) => boolean) {
    const over = [...this.open].filter(([runId, run]) => isOver(runId, run)).map(([runId]) => runId);
    const open = new Map([...this.open].filter(([runId]) => !over.includes(runId)));
    return { open, ended: new Set([...this.ended, ...over]) };
  }

  #from(before: number): StreamModel {
    const first = Math.min(before, this.head + 1);
    if (!(first > this.first)) return this;
    return this.#with({ first }, new Map([...this.#events].filter(([seq]) => seq >= first)));
  }

  #openRuns(): readonly string[] {
    return [...this.open]
      .sort(([one], [other]) => (one < other ? -1 : 1))
      .map(([runId, { attempt, startedSeq }]) => {
        const seqs = [...this.#events].filter(([, event]) => event.draft.runId === runId).map(([seq]) => seq);
        const firstSeq = startedSeq >= this.first ? startedSeq : Math.min(this.head + 1, ...seqs);
        return `${runId} ${attempt} ${firstSeq}`;
      });
  }

  #with(change: Partial<StreamModel>, events: ReadonlyMap<number, ModelEvent> = this.#events): StreamModel {
    const { first, head, producers, ended, open } = this;
    return Object.assign(
      new StreamModel(this.#limits, events),
      { first, head, producers, ended, open },
      change,
    );
  }
}

/** What an append under a known key gets; undefined for one to make. */
function answerTo(known: ModelProducer | undefined, { attempt, n }: Producer): unknown {
  if (attempt < (known?.attempt ?? 1)) return 'FENCED';
  const lastN = known?.attempt === attempt ? known.n : 0;
  if (n === lastN + 1) return undefined;
  const positions = n <= lastN ? known?.results.get(n) : undefined;
  return positions === undefined ? 'PRODUCER_GAP' : { ...positions, duplicate: true };
}

function jsonOf(
  { draft, at, isErased, id: known }: ModelEvent,
  seq: number,
  id: EventId,
): string | undefined {
  if (known !== undefined && known !== id) return undefined;
  return isErased ? encodeErased({ seq, id, at }).json : encodeEvent(draft, { seq, id, at });
}
