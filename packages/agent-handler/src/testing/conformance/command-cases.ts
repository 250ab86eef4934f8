import assert from 'node:assert/strict';
import { createErrorBody, LIMITS } from '@runwire/protocol';
import type { RunStoreConformanceCase } from '../run-store-context.js';
import { accept, messageOf } from '../run-store-context.js';

const COMMAND = { id: 'c1', bodyHash: 'h1' };

/** Commands that are repeated. */
export const COMMAND_CASES: readonly RunStoreConformanceCase[] = [
  {
    name: 'a repeated message is done once and gets the first reply',
    async run(context) {
      const { runs } = context;
      const userId = await context.newUser();
      const { outcome } = await accept(context, { userId, command: COMMAND });
      const again = await runs.acceptMessage(messageOf(context, { userId, command: COMMAND }));
      assert.deepEqual(again, { kind: 'repeated', reply: outcome.reply });
      assert.deepEqual(await runs.recallCommand(userId, COMMAND), { kind: 'done', reply: outcome.reply });
      assert.equal((await runs.pendingOutbox()).length, 1);
      assert.equal((await runs.openRuns()).length, 1);
    },
  },
  {
    name: 'of two of the same at once one is accepted and the other repeated',
    async run(context) {
      const userId = await context.newUser();
      const both = [0, 1].map(() => messageOf(context, { userId, command: COMMAND }));
      const outcomes = await Promise.all(both.map((message) => context.runs.acceptMessage(message)));
      assert.deepEqual(outcomes.map(({ kind }) => kind).sort(), ['accepted', 'repeated']);
    },
  },
  {
    name: 'the same id with another body is reused',
    async run(context) {
      const { runs } = context;
      const userId = await context.newUser();
      await accept(context, { userId, command: COMMAND });
      const other = { id: 'c1', bodyHash: 'h2' };
      assert.deepEqual(await runs.recallCommand(userId, other), { kind: 'reused' });
      const again = messageOf(context, { userId, command: other });
      assert.deepEqual(await runs.acceptMessage(again), { kind: 'reused' });
    },
  },
  {
    name: "another user's command of the same id is a new one",
    async run(context) {
      const [one, two] = [await context.newUser(), await context.newUser()];
      await accept(context, { userId: one, command: COMMAND });
      assert.deepEqual(await context.runs.recallCommand(two, COMMAND), { kind: 'unknown' });
      await accept(context, { userId: two, command: COMMAND });
    },
  },
  {
    name: 'of two replies to one command the first is remembered',
    async run(context) {
      const { runs } = context;
      const userId = await context.newUser();
      const first = { rejected: createErrorBody('EMPTY_MESSAGE') };
      const second = { rejected: createErrorBody('RUN_NOT_FOUND') };
      assert.deepEqual(await runs.rememberCommand(userId, COMMAND, first), first);
      assert.deepEqual(await runs.rememberCommand(userId, COMMAND, second), first);
      assert.deepEqual(await runs.recallCommand(userId, COMMAND), { kind: 'done', reply: first });
    },
  },
  {
    name: 'a reply is remembered for 24 hours, and its id is free afterwards',
    async run(context) {
      const { runs, clock } = context;
      const userId = await context.newUser();
      const reply = { rejected: createErrorBody('EMPTY_MESSAGE') };
      await runs.rememberCommand(userId, COMMAND, reply);
      await clock.advance(LIMITS.commandRetentionMs - 1);
      assert.deepEqual(await runs.recallCommand(userId, COMMAND), { kind: 'done', reply });
      await clock.advance(1);
      assert.deepEqual(await runs.recallCommand(userId, COMMAND), { kind: 'unknown' });
      await accept(context, { userId, command: { ...COMMAND, bodyHash: 'h2' } });
    },
  },
];
