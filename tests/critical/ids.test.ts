import { describe, expect, it } from '@jest/globals';
import { startRun } from '../harness/http-run.js';
import { type BareMessage, createHarness, type HttpUser } from '../harness/index.js';

// Written from the README of id-generation alone: `<kind>_<time: 9><node: 8><counter: 5>`, digits in base 36.
const ID =
  /^(?<kind>[a-z]{3})_(?<time>[0-9a-z]{9})(?<node>[0-9a-z]{8})[0-9a-z]{5}(?:_(?<thread>[0-9a-z]{22}))?$/;

/** The kind of the id in each field of a message or an answer. */
const KINDS: Readonly<Record<string, string>> = {
  userId: 'usr',
  threadId: 'thr',
  runId: 'run',
  requestId: 'req',
  connectionId: 'con',
  messageId: 'msg',
  answerId: 'msg',
  toolCallId: 'tcl',
  eventId: 'evt',
};

interface SeenId {
  readonly field: string;
  readonly id: string;
}

/** What an id says of itself; nothing when it is none. */
type IdGroups = Partial<Record<'kind' | 'time' | 'node' | 'thread', string>>;

describe('what everything is called by', () => {
  it('[QA-1, ID-1, ID-2, ID-3] ids are made in five ways and do not fit: each id that leaves the server is of its kind, of now, of one generator, and a run says its thread', async () => {
    const begunAtMs = Date.now();
    await using harness = await createHarness();
    const user = await harness.register();
    const tabs = [harness.bare(user, { resume: { seq: 0 } }), harness.bareSse(user, { resume: { seq: 0 } })];
    for (const tab of tabs) await tab.untilControl('caught_up');
    tabs[0]?.send({ type: 'user_message', id: 'mine', content: 'what is 2 + 3 * 4?' });
    const { runId, threadId } = (await tabs[0]?.untilControl('command_accepted'))?.['result'] ?? {};
    const overHttp = await startRun(user, 'what is 1 + 1?');
    for (const tab of tabs) for (const run of [runId, overHttp]) await tab.until('the end', isEndOf(run));
    const messages = tabs.flatMap((tab) => [...tab.events, ...tab.control]);
    const seen = [
      { field: 'userId', id: user.id },
      ...messages.flatMap((message) => idsIn(message)),
      ...tabs.flatMap((tab) => tab.events.map(({ id = '' }) => ({ field: 'eventId', id }))),
      ...(await idsOverHttp(user, { threadId, runId })),
    ];
    const parsed = seen.map(({ field, id }) => ({ field, id, ...groupsOf(id) }));
    expect(parsed.filter(({ field, kind }) => kind !== KINDS[field])).toEqual([]);
    expect(new Set(parsed.map(({ field }) => field))).toEqual(new Set(Object.keys(KINDS)));
    for (const { id, time } of parsed) {
      const madeAtMs = Number.parseInt(time ?? '', 36);
      expect([id, madeAtMs >= begunAtMs && madeAtMs <= Date.now()]).toEqual([id, true]);
    }
    expect(new Set(parsed.map(({ node }) => node)).size).toBe(1);
    // Wherever a run and a thread are named together, the one says the other.
    const together = messages.filter((message) => message.runId !== undefined);
    expect(together.filter((event) => groupsOf(event.runId).thread !== event.threadId?.slice(4))).toEqual([]);
    expect(together.length).toBeGreaterThan(10);
  });
});

function groupsOf(id = ''): IdGroups {
  return ID.exec(id)?.groups ?? {};
}

/** The ids in a message or answer, by their fields, at any depth. */
function idsIn(value: unknown): readonly SeenId[] {
  if (typeof value !== 'object' || value === null) return [];
  return Object.entries(value).flatMap(([field, inner]) =>
    typeof inner === 'string' && field in KINDS ? [{ field, id: inner }] : idsIn(inner),
  );
}

async function idsOverHttp(
  user: HttpUser,
  { threadId, runId }: { readonly threadId: string; readonly runId: string },
): Promise<readonly SeenId[]> {
  const thread = await user.call('GET', `/api/threads/${threadId}`);
  const run = await user.call('GET', `/api/runs/${runId}`);
  const events = await user.call('GET', `/api/runs/${runId}/events`);
  const missing = await user.call('GET', '/api/threads/thr_missing');
  const answers = [thread, run, events, missing];
  return [
    ...answers.map(({ headers }) => ({ field: 'requestId', id: headers.get('x-request-id') ?? '' })),
    ...answers.flatMap(({ body }) => idsIn(body)),
    { field: 'threadId', id: thread.body.thread?.id ?? '' },
    { field: 'runId', id: run.body.id ?? '' },
  ];
}

function isEndOf(runId: string): (event: BareMessage) => boolean {
  return (event) => event.type === 'agent_completed' && event.runId === runId;
}
