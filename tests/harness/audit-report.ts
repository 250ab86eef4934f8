/** What an audit counted. Every number from `resets` on is to be zero, but for resets that a test provokes. */
export interface AuditReport {
  readonly users: number;
  /** Events in the users' streams. */
  readonly events: number;
  /** Events handed to applications; a merged one counts as all that it covers. */
  readonly applied: number;
  readonly runs: number;
  /** Nothing was erased, nothing is past its retention: the streams have everything that ever was. */
  readonly isWhole: boolean;
  /** Times that a client was told to start over. */
  readonly resets: number;
  /** Events that a client skipped without being told, or that one that follows its stream never got. */
  readonly lost: number;
  /** Events handed to an application again. */
  readonly duplicated: number;
  /** Events handed to an application behind a later one. */
  readonly reordered: number;
  /** Events that are none of the user's log: another user's, or ones that a restart contradicted. */
  readonly foreign: number;
  /** Everything that is wrong, in words; also what has no number of its own. */
  readonly problems: readonly string[];
}

/** Adds up what parts of an audit find. */
export class AuditTally {
  users = 0;
  events = 0;
  applied = 0;
  runs = 0;
  isWhole = true;
  resets = 0;
  lost = 0;
  duplicated = 0;
  reordered = 0;
  foreign = 0;
  readonly problems: string[] = [];

  /** Counts `by` of one kind of fault and says what it is. */
  fault(kind: 'lost' | 'duplicated' | 'reordered' | 'foreign', problem: string, by = 1): void {
    this[kind] += by;
    this.problems.push(problem);
  }

  report(): AuditReport {
    const { users, events, applied, runs, isWhole, resets, lost, duplicated, reordered, foreign } = this;
    const counts = { users, events, applied, runs, resets, lost, duplicated, reordered, foreign };
    return { ...counts, isWhole, problems: [...this.problems] };
  }
}
