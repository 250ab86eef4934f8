import type { UserId } from '@runwire/id-generation';
import type { EncodedBatch, EncodedEvent, EventLog, Unsubscribe } from '../src/index.js';
import { titleOf } from './stream-model.js';

/** A connection in miniature: a cursor that takes the batches that continue it and reads what it misses. */
export class StreamReader {
  readonly #log: EventLog;
  readonly #user: UserId;
  /** What it was given, by call. */
  readonly applied: [seq: number, title: string][] = [];
  /** What it was told it would not get. */
  readonly #reset: number[] = [];
  #position = 0;
  #id: string | undefined;
  #stop: Unsubscribe | undefined;

  constructor(log: EventLog, user: UserId) {
    this.#log = log;
    this.#user = user;
  }

  get position(): number {
    return this.#position;
  }

  /** Every `seq` applied or lost to an explicit reset, as often as that happened, sorted. */
  get accountedFor(): number[] {
    return [...this.applied.map(([seq]) => seq), ...this.#reset].sort((a, b) => a - b);
  }

  async connect(): Promise<void> {
    this.#stop ??= this.#log.subscribe(this.#user, (batch) => this.#onWake(batch));
  }

  async drop(): Promise<void> {
    this.#stop?.();
    this.#stop = undefined;
  }

  async pull(limits: { readonly limitEvents: number; readonly limitBytes: number }): Promise<void> {
    const { epoch } = await this.#log.stream(this.#user);
    const id = this.#id === undefined ? {} : { id: this.#id };
    const result = await this.#log.read(this.#user, {
      after: { epoch, seq: this.#position, ...id },
      ...limits,
    });
    if (result.kind === 'page') {
      for (const event of result.events) this.#apply(event);
      return;
    }
    if (result.reason !== 'trimmed') throw new Error(`an honest cursor was reset with ${result.reason}`);
    const { head, headId } = result.stream;
    for (let seq = this.#position + 1; seq <= head; seq += 1) this.#reset.push(seq);
    this.#position = head;
    this.#id = headId ?? undefined;
  }

  async catchUp(): Promise<void> {
    const { head } = await this.#log.stream(this.#user);
    while (this.#position < head) {
      const before = this.#position;
      await this.pull({ limitEvents: 3, limitBytes: 10_000 });
      if (this.#position === before) throw new Error('an empty page below the head');
    }
  }

  #onWake(batch: EncodedBatch | undefined): void {
    if (batch?.events[0]?.seq !== this.#position + 1) return;
    for (const event of batch.events) this.#apply(event);
  }

  #apply(event: EncodedEvent): void {
    if (this.applied.length > 0 && event.seq <= (this.applied.at(-1)?.[0] ?? 0))
      throw new Error('out of order');
    if (event.seq !== this.#position + 1) throw new Error('a silent gap');
    this.applied.push([event.seq, titleOf(event.json)]);
    this.#position = event.seq;
    this.#id = event.id;
  }
}
