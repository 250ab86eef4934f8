import { describe, expect, it } from '@jest/globals';
import { createMemoryEventLog } from '../src/index.js';
import { createConformanceContext, EVENT_LOG_CONFORMANCE } from '../src/testing/index.js';

describe('[CT-3] the in-memory log conforms to the contract', () => {
  it.each(EVENT_LOG_CONFORMANCE)('$name', async ({ run }) => {
    await using context = createConformanceContext({
      open: async (deps, options) => createMemoryEventLog(deps, options),
    });
    await run(context);
  });

  it('by cases whose names are all different', () => {
    const names = EVENT_LOG_CONFORMANCE.map(({ name }) => name);
    expect(new Set(names).size).toBe(names.length);
    expect(names.length).toBeGreaterThan(60);
  });
});
