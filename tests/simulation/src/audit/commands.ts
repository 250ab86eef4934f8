import type { Verdicts } from './verdicts.js';

/** What is known of one command. */
interface SentCommand {
  readonly tab: string;
  /** Its page keeps it over reloads. */
  readonly isKept: boolean;
  fate: 'pending' | 'answered' | 'refused';
}

/** Every message that a page was asked to send: each is done once at most, and once when somebody was told so. */
export class CommandAudit {
  readonly #verdicts: Verdicts;
  readonly #commands = new Map<number, SentCommand>();

  constructor(verdicts: Verdicts) {
    this.#verdicts = verdicts;
  }

  /** A page was asked to send the message with this script. */
  sent(script: number, by: { readonly tab: string; readonly isKept: boolean }): void {
    this.#commands.set(script, { ...by, fate: 'pending' });
  }

  /** The page was told that it was done: it has become `runId`, one of `runs`. */
  answered(script: number, runId: string, runs: readonly string[]): void {
    this.#settle(script, 'answered');
    if (!runs.includes(runId)) this.#verdicts.violated('command', `#${script} was answered with ${runId}`);
  }

  /** The page was told that it was not done. */
  refused(script: number): void {
    this.#settle(script, 'refused');
  }

  /** Everything is quiet. `isKnown`: the script has become a run, or the tab keeps it still. */
  check(isKnown: (script: number, tab: string) => boolean): void {
    for (const [script, { fate, isKept, tab }] of this.#commands) {
      if (fate !== 'pending' || !isKept || isKnown(script, tab)) continue;
      this.#verdicts.violated('command', `#${script} was kept by ${tab}, and is lost`);
    }
  }

  #settle(script: number, fate: SentCommand['fate']): void {
    const command = this.#commands.get(script);
    if (command !== undefined) command.fate = fate;
  }
}
