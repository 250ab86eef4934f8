import type { MemoryDisk } from '../../src/testing/index.js';
import type { Made } from './stream-history.js';

/** What was said in threads that were erased: it must leave the disk. */
export class ErasedTexts {
  /** By user and thread. */
  readonly #said = new Map<string, string[]>();
  readonly #erased = new Set<string>();

  /** Takes note of calls, whether they were made or not: a part of an append may be on the disk. */
  note(made: readonly Made[]): void {
    for (const { call, outcome } of made) {
      if (call.do === 'append') {
        for (const { threadId, data } of call.drafts) {
          const key = `${call.user} ${threadId}`;
          const texts = JSON.stringify(data).match(/«\d+»/g) ?? [];
          this.#said.set(key, [...(this.#said.get(key) ?? []), ...texts]);
        }
      } else if (call.do === 'erase' && outcome.kind === 'done') {
        const key = `${call.user} ${call.threadId}`;
        for (const text of this.#said.get(key) ?? []) this.#erased.add(text);
        this.#said.delete(key);
      }
    }
  }

  /** A power loss may have taken the erasures back. */
  clear(): void {
    this.#erased.clear();
  }

  /** Those that stand in any file. */
  on(disk: MemoryDisk): readonly string[] {
    const all = disk.list().map((name) => Buffer.from(disk.contents(name)).toString('utf8'));
    const found = new Set(all.flatMap((text) => text.match(/«\d+»/g) ?? []));
    return [...found].filter((text) => this.#erased.has(text));
  }
}
