import type { UserId } from '@runwire/id-generation';
import { type Call, comparable, type Outcome } from './calls.js';
import type { StreamView } from './picture.js';
import type { StreamModel } from './stream-model.js';

/** A call that was made, and what came of it. */
export interface Made {
  readonly call: Call;
  readonly at: number;
  readonly outcome: Outcome;
}

/** A way in which things may have gone. */
interface Course {
  readonly model: StreamModel;
  /** The calls that had an effect, since what is durable. */
  readonly calls: readonly Made[];
  /** A call was made of which the process that died believed that it was not: what it said since means nothing. */
  readonly isBlurred?: boolean;
}

/** What was done to one user's stream, and what of it no power loss may take. */
export class StreamHistory {
  readonly userId: UserId;
  /** The stream as it is now. */
  model: StreamModel;
  #durable: StreamModel;
  /** Calls with an effect since `#durable`, of which the first `#kept` are durable too. */
  #since: readonly Made[] = [];
  #kept = 0;

  constructor(userId: UserId, empty: StreamModel) {
    this.userId = userId;
    this.model = empty;
    this.#durable = empty;
  }

  /** What was done so far survives everything. */
  makeDurable(): void {
    this.#durable = this.model;
    this.#since = [];
    this.#kept = 0;
  }

  /** The erasures that had something to erase survive everything, and with them what was written before. */
  keepErasures(): void {
    const last = this.#since.findLastIndex(({ call, outcome }) => {
      return call.do === 'erase' && outcome.kind === 'done' && outcome.value !== 0;
    });
    this.#kept = Math.max(this.#kept, last + 1);
  }

  /** Forgets what the log may have forgotten. */
  forget(): void {
    this.model = this.model.forgetful();
    this.makeDurable();
  }

  /**
   * Takes note of calls that the log has answered; `died`: those that it refused may have been made all the same.
   * Fails when there is no way in which the view could have come of them.
   */
  answered(
    made: readonly Made[],
    view: StreamView,
    now: { readonly at: number; readonly died: boolean },
  ): void {
    const problems: string[] = [];
    for (const course of courses({ model: this.model, calls: this.#since }, made, now.died)) {
      const problem = typeof course === 'string' ? course : course.model.aged(now.at).difference(view);
      if (problem === undefined && typeof course !== 'string') {
        this.#take(course, view, now.at);
        return;
      }
      problems.push(problem ?? '');
    }
    throw new Error(`${this.userId}: ${problems.join('\n or ')}`);
  }

  /**
   * Takes note of a power loss: all that is durable is there, and of what came after it a beginning. Returns
   * false when a middle may be missing; `isDamaged` says whether the log has told of that.
   */
  lostPower(
    made: readonly Made[],
    view: StreamView,
    now: { readonly at: number; readonly isDamaged: boolean },
  ): boolean {
    const problems: string[] = [];
    const possible: StreamModel[] = [];
    for (const course of courses({ model: this.model, calls: this.#since }, made, true)) {
      if (typeof course === 'string') {
        problems.push(course);
        continue;
      }
      for (let count = course.calls.length; count >= this.#kept; count -= 1) {
        const calls = course.calls.slice(0, count);
        const model = calls
          .reduce((so, { call, at }) => so.after(call, at).model, this.#durable)
          .aged(now.at);
        const problem = model.seen(view).difference(view);
        if (problem === undefined) {
          this.#take({ model, calls }, view, now.at);
          this.makeDurable();
          // A middle without readable events may be missing, and shows only in what the log remembers.
          return !now.isDamaged || course.calls.length === 0;
        }
        problems.push(`${problem} (${count})`);
        possible.push(model);
      }
    }
    const foreign = view.events.filter((event) =>
      possible.every((model) => model.contradictions({ ...view, events: [event] }).length > 0),
    );
    const isBehind = view.head < this.#durable.head;
    if (now.isDamaged && foreign.length === 0 && !isBehind) return false;
    throw new Error(`${this.userId} after a power loss: ${problems.join('\n or ')}`);
  }

  #take({ model, calls }: Course, view: StreamView, at: number): void {
    this.model = model.aged(at).seen(view);
    this.#since = calls;
  }
}

/** All ways in which calls may have gone; what is wrong with those that cannot be. */
function* courses(so: Course, made: readonly Made[], died: boolean): Iterable<Course | string> {
  const [next, ...rest] = made;
  if (next === undefined) {
    yield so;
    return;
  }
  const { model, outcome } = so.model.after(next.call, next.at);
  const done = { ...so, model, calls: [...so.calls, next] };
  const isRefused = isRefusedByDisk(next.outcome, died);
  if (!isRefused && so.isBlurred !== true) {
    const expected = JSON.stringify(outcome);
    const came = JSON.stringify(comparable(next.outcome));
    if (expected !== came) yield `${next.call.do} gave ${came} instead of ${expected}`;
    else yield* courses(done, rest, died);
    return;
  }
  yield* courses(so, rest, died);
  // An erasure holds for readers from when it was written, and settles when it was synced.
  const mayBeDone = isRefused ? died || next.call.do === 'erase' : next.outcome.kind === 'done';
  if (mayBeDone) yield* courses({ ...done, isBlurred: died }, rest, died);
}

/** Whether the disk did not let a call be made. One that is gone is not even read any more. */
function isRefusedByDisk(outcome: Outcome, died: boolean): boolean {
  if (outcome.kind === 'done') return false;
  return outcome.code === 'LOG_WRITE_FAILED' || (died && outcome.code === 'LOG_READ_FAILED');
}
