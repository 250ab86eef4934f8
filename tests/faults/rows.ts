import { appendFileSync } from 'node:fs';
import { it } from '@jest/globals';
import type { AuditReport } from '../harness/index.js';

/** What audits counted, added up. */
interface Counts {
  readonly events: number;
  readonly lost: number;
  readonly duplicated: number;
  readonly reordered: number;
  readonly foreign: number;
}

/** One line of the table, as `scripts/test-faults.mjs` reads it. Without an audit there are no counts. */
interface RowResult extends Partial<Counts> {
  readonly fault: string;
  readonly point: string;
  readonly rounds: number;
  /** From each fault to the moment when every client was live again. */
  readonly healMs: readonly number[];
  /** What else was measured. */
  readonly notes: readonly string[];
  /** Undefined when nothing went wrong. */
  readonly failure?: string;
}

/** Where a scenario writes down what it did and found. */
export interface Row {
  /** One fault was survived, and healed in this time where there was something to heal. */
  round(healMs?: number): void;
  /** Adds what an audit counted. @throws when it found anything, or more resets than `maxResets` */
  audited(report: AuditReport, maxResets?: number): void;
  note(text: string): void;
  /** Notes the highest of all numbers given under this name. */
  most(name: string, value: number): void;
}

/** Set by `scripts/test-faults.mjs`: the file that the lines are added to. */
const RESULTS = process.env['FAULT_RESULTS'];
/** Set by `scripts/test-faults.mjs --rounds`. */
const ROUNDS = process.env['FAULT_ROUNDS'];

/** The rounds of a row: as asked for on the command line, else its own. */
export function roundsOf(own: number): number {
  return ROUNDS === undefined ? own : Number(ROUNDS);
}

/** A test that is a line of the table, whether it passes or fails. `[XX-1] ` before the fault cites a requirement. */
export function faultRow(
  name: readonly [fault: string, point: string],
  run: (row: Row) => Promise<void>,
  timeoutMs = 120_000,
): void {
  declareRow(it, name, run, timeoutMs);
}

/** The same for one that spends its time waiting: it does so beside the others of its file. */
export function patientRow(
  name: readonly [fault: string, point: string],
  run: (row: Row) => Promise<void>,
  timeoutMs = 240_000,
): void {
  declareRow(it.concurrent, name, run, timeoutMs);
}

function declareRow(
  declare: (title: string, test: () => Promise<void>, timeoutMs: number) => void,
  [fault, point]: readonly [fault: string, point: string],
  run: (row: Row) => Promise<void>,
  timeoutMs: number,
): void {
  declare(
    `${fault}: ${point}`,
    async () => {
      const row = new RecordedRow(fault.replace(/^\[[^\]]*\] /, ''), point);
      progress(`${row.name} …`);
      try {
        await run(row);
      } catch (error) {
        row.failed(error);
        throw error;
      } finally {
        row.write();
      }
    },
    timeoutMs,
  );
}

/** A row of a short run: nothing is written down, and what is wrong fails the test all the same. */
export function unrecorded(): Row {
  return new RecordedRow('', '');
}

class RecordedRow implements Row {
  readonly #fault: string;
  readonly #point: string;
  #rounds = 0;
  #counts: Counts | undefined;
  readonly #healMs: number[] = [];
  readonly #notes: string[] = [];
  readonly #most = new Map<string, number>();
  #failure: string | undefined;

  constructor(fault: string, point: string) {
    this.#fault = fault;
    this.#point = point;
  }

  get name(): string {
    return `${this.#fault}: ${this.#point}`;
  }

  round(healMs?: number): void {
    this.#rounds += 1;
    if (healMs !== undefined) this.#healMs.push(Math.round(healMs));
    if (this.#rounds % PROGRESS_ROUNDS === 0) progress(`${this.name}: ${this.#rounds} rounds`);
  }

  audited(report: AuditReport, maxResets = 0): void {
    const { events, lost, duplicated, reordered, foreign } = this.#counts ?? NOTHING;
    this.#counts = {
      events: events + report.applied,
      lost: lost + report.lost,
      duplicated: duplicated + report.duplicated,
      reordered: reordered + report.reordered,
      foreign: foreign + report.foreign,
    };
    if (report.problems.length > 0) throw new Error(report.problems.slice(0, 20).join('\n'));
    if (report.resets > maxResets) {
      throw new Error(`${report.resets} times a client had to start over, at most ${maxResets} expected`);
    }
  }

  note(text: string): void {
    this.#notes.push(text);
  }

  most(name: string, value: number): void {
    this.#most.set(name, Math.max(this.#most.get(name) ?? 0, Math.round(value)));
  }

  failed(error: unknown): void {
    this.#failure = error instanceof Error ? error.message : String(error);
  }

  write(): void {
    const result: RowResult = {
      fault: this.#fault,
      point: this.#point,
      rounds: this.#rounds,
      ...this.#counts,
      healMs: this.#healMs,
      notes: [...this.#notes, ...[...this.#most].map(([name, value]) => `at most ${value} ${name}`)],
      ...(this.#failure === undefined ? {} : { failure: this.#failure }),
    };
    if (RESULTS !== undefined) appendFileSync(RESULTS, `${JSON.stringify(result)}\n`);
    progress(`${this.name}: ${this.#failure === undefined ? 'survived' : 'FAILED'}`);
  }
}

const NOTHING: Counts = { events: 0, lost: 0, duplicated: 0, reordered: 0, foreign: 0 };
const PROGRESS_ROUNDS = 10;

function progress(text: string): void {
  if (RESULTS !== undefined) process.stderr.write(`faults: ${text}\n`);
}
