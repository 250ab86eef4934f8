import type { UserId } from '@runwire/id-generation';
import type { EventDraft } from '@runwire/protocol';
import type { MemoryDisk } from '../../src/testing/index.js';
import type { Made } from './stream-history.js';

/** What was said in threads that were erased: it must leave the disk. */
export class ErasedTexts {
  /** By user and thread. */
  readonly #said = new Map<string, string[]>();
  readonly #erased = new Set<string>();

  /**
   * Takes note of calls. Of an append that was refused a part may be on the disk, or all of it when the process
   * died: an erasure beside it knew nothing of that, a later one does.
   */
  note(made: readonly Made[]): void {
    for (const { call, outcome } of made) {
      if (call.do === 'append' && outcome.kind === 'done') this.#say(call.user, call.drafts);
      else if (call.do === 'erase' && outcome.kind === 'done') this.#erase(`${call.user} ${call.threadId}`);
    }
    for (const { call, outcome } of made) {
      if (call.do === 'append' && outcome.kind === 'refused') this.#say(call.user, call.drafts);
    }
  }

  #say(user: UserId, drafts: readonly EventDraft[]): void {
    for (const { threadId, data } of drafts) {
      const key = `${user} ${threadId}`;
      const texts = JSON.stringify(data).match(/«\d+»/g) ?? [];
      this.#said.set(key, [...(this.#said.get(key) ?? []), ...texts]);
    }
  }

  #erase(key: string): void {
    for (const text of this.#said.get(key) ?? []) this.#erased.add(text);
    this.#said.delete(key);
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
