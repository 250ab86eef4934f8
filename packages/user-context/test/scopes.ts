import { createRecordingLogger, type RecordingLogger } from '@runwire/kernel/testing';
import { createScope, type Scope } from '../src/index.js';

/** A scope without a parent, and what it logs. */
export function newScope(name = 'process'): { scope: Scope; logger: RecordingLogger } {
  const logger = createRecordingLogger();
  return { scope: createScope({ logger }, name), logger };
}

/** Lets every microtask that is under way come to its end. */
export async function flush(): Promise<void> {
  for (let hop = 0; hop < 20; hop += 1) await Promise.resolve();
}
