import { describe, it } from '@jest/globals';
import {
  createMemoryStores,
  createRunStoreContext,
  RUN_STORE_CONFORMANCE,
} from '@runwire/agent-handler/testing';

describe('the in-memory stores', () => {
  for (const { name, run } of RUN_STORE_CONFORMANCE) {
    it(name, async () => {
      const open = async (deps: Parameters<typeof createMemoryStores>[0]) => createMemoryStores(deps);
      await run(await createRunStoreContext({ open }));
    });
  }
});
