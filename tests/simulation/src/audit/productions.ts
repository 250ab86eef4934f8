import type { RunId } from '@runwire/id-generation';
import type { Productions, Said } from '../server/agent.js';

/** What agents have said, by run and attempt. A process that is thought dead may go on speaking beside the next. */
export class SaidText implements Productions {
  readonly #attempts = new Map<RunId, { text: string }[]>();

  begin(runId: RunId): (said: Said) => void {
    const attempt = { text: '' };
    this.#attempts.set(runId, [...(this.#attempts.get(runId) ?? []), attempt]);
    return ({ kind, piece }) => {
      if (kind === 'text') attempt.text += piece;
    };
  }

  /** Whether this is the whole text of an attempt, reasoning not included. */
  isText(runId: RunId, text: string): boolean {
    return (this.#attempts.get(runId) ?? []).some((attempt) => attempt.text === text);
  }
}
