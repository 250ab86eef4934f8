import type { Producer } from '@runwire/event-log';
import type { IdGenerator, ThreadId, UserId } from '@runwire/id-generation';
import type { EventDraft } from '@runwire/protocol';
import { type Call, completed, type RunOfThread, renamed, runStarted, thinking } from './calls.js';
import type { Prng } from './prng.js';
import type { StreamModel } from './stream-model.js';

const THREADS = 3;
const RUNS = 3;

/** Thinks up calls for one user: mostly what a server does, sometimes what it must not. */
export class CallSource {
  readonly userId: UserId;
  readonly #prng: Prng;
  readonly #ids: IdGenerator;
  readonly #said: () => string;
  readonly #threads: readonly ThreadId[];
  readonly #runs: RunOfThread[] = [];
  #commands = 0;

  /** `said` gives a text that was never given before. */
  constructor(deps: { readonly prng: Prng; readonly ids: IdGenerator; readonly said: () => string }) {
    this.#prng = deps.prng;
    this.#ids = deps.ids;
    this.#said = deps.said;
    this.userId = deps.ids.userId();
    this.#threads = Array.from({ length: THREADS }, () => deps.ids.threadId());
  }

  /** A call on the stream as the model has it. */
  next(model: StreamModel): Call {
    const { userId: user } = this;
    const kind = this.#prng.weighted({ say: 4, command: 2, run: 8, trim: 1.5, erase: 1.5, deleted: 0.3 });
    switch (kind) {
      case 'say':
        return { do: 'append', user, drafts: this.#words(), producer: undefined };
      case 'command':
        this.#commands += 1;
        return { do: 'append', user, drafts: this.#words(), producer: key(`cmd:${this.#commands}`, 1, 1) };
      case 'run':
        return this.#run(model);
      case 'trim':
        return { do: 'trim', user, before: model.first + this.#prng.int(0, model.head - model.first + 3) };
      case 'erase':
        return { do: 'erase', user, threadId: this.#prng.pick(this.#threads) };
      case 'deleted': {
        const draft = { type: 'thread_deleted', threadId: this.#prng.pick(this.#threads), data: {} } as const;
        return { do: 'append', user, drafts: [draft], producer: undefined };
      }
    }
  }

  #words(): EventDraft[] {
    const threadId = this.#prng.pick(this.#threads);
    return Array.from({ length: this.#prng.int(1, 4) }, () => renamed(threadId, this.#text()));
  }

  #text(): string {
    const most = this.#prng.chance(0.1) ? 60 : 4;
    return `${this.#said()} ${'x€\u{1f600}'.repeat(this.#prng.int(0, most))}`;
  }

  #run(model: StreamModel): Call {
    const { userId: user } = this;
    const run = this.#someRun(model);
    const known = model.producers.get(run.runId);
    const [attempt, n] = [known?.attempt ?? 1, known?.n ?? 0];
    const kind = this.#prng.weighted({ next: 12, repeat: 1, gap: 0.5, restart: 1, zombie: 0.5, stranger: 1 });
    const producer = {
      next: key(run.runId, attempt, n + 1),
      repeat: key(run.runId, attempt, Math.max(1, n - this.#prng.int(0, 2))),
      gap: key(run.runId, attempt, n + 2),
      restart: key(run.runId, attempt + 1, 1),
      zombie: key(run.runId, Math.max(1, attempt - 1), n + 1),
      stranger: undefined,
    }[kind];
    const isOpen = model.open.has(run.runId);
    const drafts = this.#eventsOf(run, isOpen && kind !== 'restart', producer?.attempt ?? attempt);
    return { do: 'append', user, drafts, producer };
  }

  #eventsOf(run: RunOfThread, isOpen: boolean, attempt: number): EventDraft[] {
    const said = Array.from({ length: this.#prng.int(0, 3) }, () => thinking(run, this.#text()));
    if (!isOpen) return [runStarted(run, attempt), ...said];
    return this.#prng.chance(0.3) ? [...said, completed(run)] : [...said, thinking(run, this.#text())];
  }

  /** One under way; rarely one that is over. */
  #someRun(model: StreamModel): RunOfThread {
    const open = this.#runs.filter(({ runId }) => !model.ended.has(runId)).slice(-RUNS);
    if (this.#runs.length > 0 && this.#prng.chance(0.05)) return this.#prng.pick(this.#runs);
    if (open.length === RUNS || (open.length > 0 && this.#prng.chance(0.7))) return this.#prng.pick(open);
    const threadId = this.#prng.pick(this.#threads);
    const run = { threadId, runId: this.#ids.runId(threadId) };
    this.#runs.push(run);
    return run;
  }

  /** The runs so far are left alone from now on. */
  forgetRuns(): void {
    this.#runs.length = 0;
  }
}

function key(id: string, attempt: number, n: number): Producer {
  return { id, attempt, n };
}
