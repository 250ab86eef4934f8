import { createIdGenerator, type UserId } from '@runwire/id-generation';
import { createRecordingLogger } from '@runwire/kernel/testing';
import type { FileEventLog, FileEventLogOptions, FsyncPolicy } from '../../src/index.js';
import { openFileEventLog } from '../../src/index.js';
import { createMemoryDisk, type DiskOperation, diskError, type MemoryDisk } from '../../src/testing/index.js';
import { type Call, comparable, make, type Outcome } from './calls.js';
import { letDie, usedBytes } from './dying-disk.js';
import { ErasedTexts } from './erased-texts.js';
import { CallSource } from './fuzz-calls.js';
import { viewOf } from './picture.js';
import { createPrng, type Prng } from './prng.js';
import { type Made, StreamHistory } from './stream-history.js';
import { type ModelLimits, StreamModel } from './stream-model.js';
import { createTurningClock } from './turning-clock.js';

const FSYNC_INTERVAL_MS = 1_000;
const HOUR_MS = 3_600_000;

/** What may be wrong with a disk for a while. */
const FAULTS: readonly DiskOperation['kind'][] = [
  'write',
  'sync',
  'syncDirectory',
  'create',
  'rename',
  'remove',
];

interface Person {
  readonly source: CallSource;
  readonly history: StreamHistory;
}

/** A log on a disk in memory, many users, and all that may happen to them; what the seed says. */
export class FuzzWorld {
  /** What was done, to be read when something is wrong. */
  readonly trace: string[] = [];
  readonly fsync: FsyncPolicy;
  /** Users of whom a power loss took a middle, as the log has told: nothing more is known of them. */
  readonly #retired = new Set<UserId>();
  readonly #prng: Prng;
  readonly #clock = createTurningClock();
  readonly #ids = createIdGenerator({ clock: this.#clock });
  readonly #options: FileEventLogOptions;
  readonly #limits: ModelLimits;
  readonly #erased = new ErasedTexts();
  #people: Person[] = [];
  #disk: MemoryDisk = createMemoryDisk();
  /** So many turns what waits for the hardware takes at most. */
  readonly #slowness: number;
  #delays = 0;
  /** A sync failed: what is durable is not known until the system has written everything by itself. */
  #isDoubtful = false;
  #isDamaged = false;
  #compacting: Promise<unknown> = Promise.resolve();
  #texts = 0;
  #opened: FileEventLog | undefined;

  constructor(seed: number, fsync: FsyncPolicy) {
    const prng = createPrng(seed);
    this.#prng = prng;
    this.fsync = fsync;
    this.#slowness = prng.pick([1, 3, 12]);
    this.#limits = {
      maxEvents: prng.pick([8, 30, 60, 1_000]),
      maxAgeMs: prng.pick([6 * HOUR_MS, 200 * HOUR_MS]),
    };
    this.#options = {
      directory: 'memory',
      fsync,
      fsyncIntervalMs: FSYNC_INTERVAL_MS,
      retention: this.#limits,
      maxSegmentBytes: prng.pick([600, 1_500, 4_000, 20_000]),
    };
  }

  get #log(): FileEventLog {
    if (this.#opened === undefined) throw new Error('not open');
    return this.#opened;
  }

  async run(steps: number): Promise<void> {
    await this.#open();
    for (let users = this.#prng.int(2, 8); users > 0; users -= 1) this.#meet();
    for (let step = 0; step < steps; step += 1) await this.#step();
    await this.#reopen();
    await this.#compact();
    await this.#log.close();
  }

  async #step(): Promise<void> {
    const what = this.#prng.weighted({
      calls: 14,
      turn: 2,
      interval: 2,
      wait: 1,
      'begin compact': 3,
      compact: 1,
      reopen: 0.7,
      fault: 1,
      flush: 0.7,
      crash: 1,
      'crash in calls': 1.5,
      'crash in compaction': 1,
    });
    this.trace.push(what);
    switch (what) {
      case 'calls':
        if (this.#prng.chance(0.1) && this.#people.length < 20) this.#meet();
        return await this.#answer(await this.#make());
      case 'turn':
        return await turn();
      case 'interval':
        return await this.#interval();
      case 'wait':
        return await this.#wait();
      case 'begin compact':
        return this.#beginCompaction();
      case 'compact':
        return await this.#compact();
      case 'reopen':
        return await this.#reopen();
      case 'fault':
        return await this.#fault();
      case 'flush':
        return this.#flush();
      case 'crash':
        return await this.#crash([]);
      case 'crash in compaction': {
        this.#beginCompaction();
        for (let rounds = this.#prng.int(1, 3); rounds > 0; rounds -= 1)
          await this.#answer(await this.#make());
        return await this.#crash([]);
      }
      case 'crash in calls': {
        const death = { operation: this.#prng.int(1, 12), share: this.#prng.next() };
        letDie(this.#disk, death);
        return await this.#crash(await this.#make());
      }
    }
  }

  #meet(): void {
    const said = (): string => {
      this.#texts += 1;
      return `«${this.#texts}»`;
    };
    const source = new CallSource({ prng: this.#prng, ids: this.#ids, said });
    this.#people.push({ source, history: new StreamHistory(source.userId, new StreamModel(this.#limits)) });
  }

  async #open(): Promise<void> {
    const [clock, ids] = [this.#clock, this.#ids];
    this.#disk.delay = async () => {
      this.#delays += 1;
      // What takes time lets others come between.
      for (let turns = this.#prng.int(0, this.#slowness); turns > 0; turns -= 1) await turn();
      this.#delays -= 1;
    };
    const deps = { clock, ids, logger: createRecordingLogger(), disk: this.#disk };
    this.#opened = await openFileEventLog(deps, this.#options);
  }

  /** Calls of some users, all in one turn, as a busy server makes them. */
  async #make(): Promise<readonly Made[]> {
    const planned = new Map(this.#people.map(({ history }) => [history, history.model]));
    const at = this.#clock.nowMs();
    const calls: Call[] = [];
    for (let count = this.#prng.int(1, 8); count > 0; count -= 1) {
      const { source, history } = this.#prng.pick(this.#people);
      const call = source.next(planned.get(history) ?? history.model);
      planned.set(history, (planned.get(history) ?? history.model).after(call, at).model);
      calls.push(call);
    }
    const outcomes = await Promise.all(calls.map((call) => make(this.#log, call)));
    this.trace.push(calls.map((call, index) => described(call, outcomes[index])).join(', '));
    return calls.map((call, index) => ({
      call,
      at,
      outcome: outcomes[index] ?? { kind: 'refused', code: '' },
    }));
  }

  async #answer(made: readonly Made[]): Promise<void> {
    for (const { history } of this.#people) {
      const own = made.filter(({ call }) => call.user === history.userId);
      if (own.length === 0) continue;
      const now = { at: this.#clock.nowMs(), died: false };
      history.answered(own, await viewOf(this.#log, history.userId), now);
      if (this.fsync === 'always') history.makeDurable();
      else if (this.fsync === 'interval') history.keepErasures();
    }
    this.#erased.note(made);
    this.#lookAtStats();
  }

  async #lookAtAll(): Promise<void> {
    const now = { at: this.#clock.nowMs(), died: false };
    for (const { history } of this.#people) {
      history.answered([], await viewOf(this.#log, history.userId), now);
      await this.#repeat(history);
    }
    this.#lookAtStats();
  }

  /** What was appended is not appended again, and nothing is appended behind an end. */
  async #repeat({ userId, model }: StreamHistory): Promise<void> {
    for (const { id, attempt, n, drafts, results } of model.producers.values()) {
      const repeated = await this.#log.append(userId, drafts, { producer: { id, attempt, n } });
      const { firstSeq, lastSeq, duplicate } = repeated;
      const came = JSON.stringify({ firstSeq, lastSeq, duplicate });
      const expected = JSON.stringify({ ...results.get(n), duplicate: true });
      if (came !== expected) throw new Error(`${userId}: ${id} ${n} repeated gives ${came}, not ${expected}`);
    }
  }

  #lookAtStats(): void {
    const { damage, liveBytes, diskBytes } = this.#log.stats();
    if (!this.#isDamaged && damage.length > 0) throw new Error(`damage: ${JSON.stringify(damage)}`);
    if (liveBytes < 0 || liveBytes > diskBytes) throw new Error(`${liveBytes} of ${diskBytes} are live`);
  }

  async #interval(): Promise<void> {
    await this.#clock.advance(FSYNC_INTERVAL_MS);
    await this.#settle();
    if (this.#log.stats().failedSyncs > 0) this.#isDoubtful = true;
    if (this.fsync === 'interval' && !this.#isDoubtful) this.#makeDurable();
    await this.#lookAtAll();
  }

  async #wait(): Promise<void> {
    const hours = this.#prng.pick([0.02, 0.02, 0.5, 1, 3, 27]);
    await this.#clock.advance(hours * HOUR_MS);
    await this.#settle();
    if (hours > 24) {
      this.#flush();
      for (const { history, source } of this.#people) {
        history.answered([], await viewOf(this.#log, history.userId), {
          at: this.#clock.nowMs(),
          died: false,
        });
        history.forget();
        source.forgetRuns();
      }
    }
    await this.#lookAtAll();
  }

  #beginCompaction(): void {
    this.#compacting = Promise.all([this.#compacting, this.#log.compact().catch(() => undefined)]);
  }

  async #compact(): Promise<void> {
    await this.#settle();
    await this.#log.compact();
    const found = this.#erased.on(this.#disk);
    if (found.length > 0) throw new Error(`erased and on the disk: ${found.join()}`);
    await this.#lookAtAll();
  }

  async #reopen(): Promise<void> {
    await this.#lookAtAll();
    await this.#settle();
    // Who is not looked at keeps what is too old until then.
    for (const userId of this.#retired) await this.#log.stream(userId);
    const { records, liveBytes } = this.#log.stats();
    await this.#log.close();
    // What a failed sync means is forgotten with the process that met it: no other can know.
    this.#disk = this.#disk.afterCrash('process');
    await this.#open();
    const opened = this.#log.stats();
    if (records !== opened.records || liveBytes !== opened.liveBytes) {
      throw new Error(`reopened: ${opened.records}, ${opened.liveBytes} instead of ${records}, ${liveBytes}`);
    }
    if (this.fsync !== 'never' && !this.#isDoubtful) this.#makeDurable();
    await this.#lookAtAll();
  }

  async #fault(): Promise<void> {
    const kinds = FAULTS.filter(() => this.#prng.chance(0.3));
    const disk = this.#disk;
    if (this.#prng.chance(0.3)) disk.capacityBytes = usedBytes(disk) + this.#prng.int(0, 900);
    disk.onOperation = ({ kind }) => {
      if (kinds.includes(kind) && this.#prng.chance(0.5)) throw diskError('EIO');
    };
    const made = await this.#make();
    if (this.#prng.chance(0.5)) await this.#clock.advance(FSYNC_INTERVAL_MS);
    if (this.#prng.chance(0.3)) await this.#log.compact().catch(() => undefined);
    if (this.#prng.chance(0.5)) await this.#settle();
    if (this.#log.stats().failedSyncs > 0) this.#isDoubtful = true;
    disk.onOperation = undefined;
    disk.capacityBytes = Number.POSITIVE_INFINITY;
    await this.#answer(made);
  }

  /** The system writes everything by itself, as it does every half minute. */
  #flush(): void {
    for (const name of this.#disk.list()) this.#disk.setContents(name, this.#disk.contents(name));
    this.#isDoubtful = false;
    this.#makeDurable();
  }

  #makeDurable(): void {
    for (const { history } of this.#people) history.makeDurable();
  }

  /** The process dies, or the machine; the next one finds what is left. */
  async #crash(made: readonly Made[]): Promise<void> {
    const kind = this.#prng.pick(['process', 'power'] as const);
    const keptBytes = this.#prng.chance(0.4) ? 0 : this.#prng.int(0, 3_000);
    const left = this.#log;
    this.#disk.onOperation = () => {
      throw diskError('DEAD');
    };
    this.#disk = this.#disk.afterCrash(kind, { keptBytes, keepsFolder: this.#prng.chance(0.6) });
    this.#disk.capacityBytes = Number.POSITIVE_INFINITY;
    await this.#open();
    await left.close();
    await this.#compacting;
    this.trace.push(`${kind} ${keptBytes}`);
    if (kind === 'power') this.#isDamaged ||= this.fsync !== 'always' && this.#log.stats().damagedPlaces > 0;
    await this.#resolve(kind, made);
    if (kind === 'power') this.#isDoubtful = false;
    this.#lookAtStats();
    if (this.fsync !== 'never' && !this.#isDoubtful) this.#makeDurable();
    await this.#lookAtAll();
  }

  async #resolve(kind: 'process' | 'power', made: readonly Made[]): Promise<void> {
    const at = this.#clock.nowMs();
    const lost = new Set<UserId>();
    for (const { history } of this.#people) {
      const own = made.filter(({ call }) => call.user === history.userId);
      const view = await viewOf(this.#log, history.userId);
      if (kind === 'process') history.answered(own, view, { at, died: true });
      else if (!history.lostPower(own, view, { at, isDamaged: this.#isDamaged })) lost.add(history.userId);
    }
    this.#erased.note(made);
    if (kind === 'power' && this.fsync === 'never') this.#erased.clear();
    for (const userId of lost) this.#retired.add(userId);
    this.#people = this.#people.filter(({ history }) => !lost.has(history.userId));
    if (this.#people.length === 0) this.#meet();
  }

  /** Nothing is under way any more. */
  async #settle(): Promise<void> {
    await this.#compacting;
    for (let quiet = 0; quiet < 8; quiet += 1) {
      await turn();
      if (this.#delays > 0) quiet = 0;
    }
  }
}

function described(call: Call, outcome: Outcome | undefined): string {
  const what = call.do === 'append' ? call.drafts.length : call.do === 'trim' ? call.before : call.threadId;
  const came = outcome?.kind === 'refused' ? outcome.code : JSON.stringify(outcome && comparable(outcome));
  return `${call.user.slice(-2)} ${call.do} ${what}: ${came}`;
}

function turn(): Promise<void> {
  return new Promise((resolve) => void setImmediate(resolve));
}
