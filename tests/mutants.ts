import type { RequirementId } from './requirements.js';

/** Where a mutant must be noticed. */
export interface MutantProof {
  /** Relative to the repository. In `tests` the mutant runs built, in a process of its own. */
  readonly workspace: `packages/${string}` | 'apps/server' | 'tests';
  /** Relative to the workspace. */
  readonly testFile: string;
}

/**
 * One break of production code, as a careless edit could make it. It compiles: what the compiler refuses says
 * nothing about the tests.
 */
export interface Mutant {
  /** The requirement that it breaks; a test that cites it must fail. */
  readonly id: RequirementId;
  /** What is broken, for the report. */
  readonly what: string;
  /** Relative to the repository. */
  readonly file: string;
  /** Occurs once in the file. */
  readonly find: string;
  readonly replace: string;
  readonly proof: MutantProof;
}

/** The requirements whose citations are worth more than a title: each has a mutant at least. */
export const PROVEN_BY_MUTANTS: readonly RequirementId[] = [
  'ID-3',
  'CX-6',
  'CX-7',
  'WS-1',
  'WS-2',
  'WS-3',
  'WS-8',
  'MG-1',
  'MG-3',
  'BR-1',
  'BR-2',
  'BR-3',
  'BR-4',
  'BR-5',
  'BR-6',
  'BR-7',
  'BR-8',
  'BR-9',
  'AG-3',
  'AG-4',
  'AU-1',
  'AU-2',
];

/** Applied one by one, in a copy of the tree, by `npm run test:mutants`. */
export const MUTANTS: readonly Mutant[] = [
  {
    id: 'ID-3',
    what: 'a run of another thread is noticed and let through',
    file: 'packages/user-context/src/frozen-run-context.ts',
    find: `throw fieldError('RUN_THREAD_MISMATCH'`,
    replace: `void fieldError('RUN_THREAD_MISMATCH'`,
    proof: { workspace: 'packages/user-context', testFile: 'test/validation.test.ts' },
  },
  {
    id: 'CX-6',
    what: 'the current context is one variable for all flows',
    file: 'packages/user-context/src/current-context.ts',
    find: `import { AsyncLocalStorage } from 'node:async_hooks';`,
    replace: `class AsyncLocalStorage<C> {
  #current: C | undefined;
  getStore = (): C | undefined => this.#current;
  run<T>(context: C, run: () => T): T {
    this.#current = context;
    return run();
  }
}`,
    proof: { workspace: 'packages/user-context', testFile: 'test/current-context.test.ts' },
  },
  {
    id: 'CX-6',
    what: "a context is entered and stays in its caller's flow",
    file: 'packages/user-context/src/current-context.ts',
    find: `return flows.run(context, run);`,
    replace: `flows.enterWith(context);
  return run();`,
    proof: { workspace: 'packages/user-context', testFile: 'test/current-context.test.ts' },
  },
  {
    id: 'CX-7',
    what: 'disposers run first to last',
    file: 'packages/user-context/src/scope.ts',
    find: `[...disposers.keys()].reverse()`,
    replace: `[...disposers.keys()]`,
    proof: { workspace: 'packages/user-context', testFile: 'test/scope.test.ts' },
  },
  {
    id: 'CX-7',
    what: 'a socket drop leaves the scope of the connection open',
    file: 'packages/websocket-core/src/connection.ts',
    find: `    void this.#scope?.dispose();\n`,
    replace: '',
    proof: { workspace: 'packages/websocket-core', testFile: 'test/inbound.test.ts' },
  },
  {
    id: 'WS-1',
    what: 'messages are routed as soon as the user is known',
    file: 'packages/websocket-core/src/connection.ts',
    find: `if (this.#opening === undefined) this.#conversation?.handle(incoming);`,
    replace: `if (this.#opening === undefined || this.#conversation !== undefined) this.#conversation?.handle(incoming);`,
    proof: { workspace: 'packages/websocket-core', testFile: 'test/opening.test.ts' },
  },
  {
    id: 'WS-1',
    what: 'a connection is opened before it is admitted',
    file: 'packages/websocket-core/src/opening.ts',
    find: `      reservation.admit(connection, replaces === undefined ? {} : { replaces });
      await deps.open(connection, { resume });`,
    replace: `      await deps.open(connection, { resume });
      reservation.admit(connection, replaces === undefined ? {} : { replaces });`,
    proof: { workspace: 'packages/websocket-core', testFile: 'test/opening.test.ts' },
  },
  {
    id: 'WS-3',
    what: 'handlers stay registered when their connection is over',
    file: 'packages/websocket-core/src/router.ts',
    find: `    this.#messages = noMessages();\n`,
    replace: '',
    proof: { workspace: 'packages/websocket-core', testFile: 'test/closing.test.ts' },
  },
  {
    id: 'MG-1',
    what: 'the first manager serves every user',
    file: 'packages/connection-pool/src/pool.ts',
    find: `const known = this.#managers.get(userId);`,
    replace: `const known = this.#managers.get(userId) ?? [...this.#managers.values()][0];`,
    proof: { workspace: 'packages/connection-pool', testFile: 'test/pool.test.ts' },
  },
  {
    id: 'MG-3',
    what: 'all users have the stream of the first',
    file: 'packages/event-log-file/src/users.ts',
    find: `return this.#awake.get(userId) ?? this.#wake(userId);`,
    replace: `return [...this.#awake.values()][0] ?? this.#wake(userId);`,
    proof: { workspace: 'tests', testFile: 'critical/connections.test.ts' },
  },
  {
    id: 'BR-1',
    what: 'the bridge is built without connections',
    file: 'packages/bridge-factory/src/bridge-factory.ts',
    find: `const REQUIRED = ['log', 'connections', 'ids',`,
    replace: `const REQUIRED = ['log', 'ids',`,
    proof: { workspace: 'packages/bridge-factory', testFile: 'test/bridge-factory.test.ts' },
  },
  {
    id: 'BR-1',
    what: 'the bridge counts what it sends and sends nothing',
    file: 'packages/bridge-factory/src/cursor-flow.ts',
    find: `this.#connection.sendFrames(frames.map(dataOf));`,
    replace: `frames.forEach(dataOf);`,
    proof: { workspace: 'tests', testFile: 'test/bare-client.test.ts' },
  },
  {
    id: 'BR-2',
    what: 'a run does not say that it thinks',
    file: 'packages/agent-handler/src/execution-engine.ts',
    find: `await events.thinking(FIRST_THOUGHT);`,
    replace: `void FIRST_THOUGHT;`,
    proof: { workspace: 'apps/server', testFile: 'test/agents/demo-agent.test.ts' },
  },
  {
    id: 'BR-3',
    what: 'a resume from seq 0 is taken for none',
    file: 'packages/bridge-factory/src/resume.ts',
    find: `if (resume === undefined) return { kind: 'live' };`,
    replace: `if (resume === undefined || !resume.seq) return { kind: 'live' };`,
    proof: { workspace: 'packages/bridge-factory', testFile: 'test/delivery.test.ts' },
  },
  {
    id: 'BR-3',
    what: 'a WebSocket that hangs is tried again before anything else is',
    file: 'packages/client/src/transport.ts',
    find: `hung === true && kind === 'websocket'`,
    replace: `hung === true && kind === 'sse'`,
    proof: { workspace: 'tests', testFile: 'test/sse.test.ts' },
  },
  {
    id: 'BR-4',
    what: 'what is appended during a read at the head is forgotten',
    file: 'packages/bridge-factory/src/cursor-state.ts',
    find: `if (event.type === 'wake') return REMEMBER_WAKE;`,
    replace: `if (event.type === 'wake') return KEEP_READING;`,
    proof: { workspace: 'packages/bridge-factory', testFile: 'test/delivery.test.ts' },
  },
  {
    id: 'BR-4',
    what: 'the log reads on one event too late',
    file: 'packages/event-log/src/memory-event-log.ts',
    find: `const events = stream.page(after.seq, request);`,
    replace: `const events = stream.page(after.seq + 1, request);`,
    proof: { workspace: 'packages/event-log', testFile: 'test/model.test.ts' },
  },
  {
    id: 'BR-4',
    what: 'the durable log reads on one event too late',
    file: 'packages/event-log-file/src/stream-reader.ts',
    find: `records.page(user, after.seq, request)`,
    replace: `records.page(user, after.seq + 1, request)`,
    proof: { workspace: 'packages/event-log-file', testFile: 'test/model.test.ts' },
  },
  {
    id: 'BR-4',
    what: 'the client forgets where it was when its connection drops',
    file: 'packages/client/src/client.ts',
    find: `this.#delivery.received ?? options.start`,
    replace: `options.cursor ?? options.start`,
    proof: { workspace: 'packages/client', testFile: 'test/client.test.ts' },
  },
  {
    id: 'BR-4',
    what: 'a client applies what comes behind a gap',
    file: 'packages/client/src/delivery-rule.ts',
    find: `    if (from > cursor.seq + 1) return this.#gap();
`,
    replace: `    if (from > cursor.seq + 1) this.#gap();
`,
    proof: { workspace: 'packages/client', testFile: 'test/delivery.property.test.ts' },
  },
  {
    id: 'BR-4',
    what: 'an event whose handler threw counts as applied',
    file: 'packages/client/src/handler-policy.ts',
    find: `if (policy === 'skip') return true;`,
    replace: `if (policy !== 'retry') return true;`,
    proof: { workspace: 'packages/client', testFile: 'test/handler-errors.test.ts' },
  },
  {
    id: 'BR-4',
    what: 'server-sent events are resumed without a cursor',
    file: 'packages/client/src/sse-socket.ts',
    find: `\`api/stream\${this.#address.search}\``,
    replace: `\`api/stream\``,
    proof: { workspace: 'packages/client', testFile: 'test/transport.test.ts' },
  },
  {
    id: 'BR-4',
    what: 'a delta that overlaps what is known is applied whole',
    file: 'packages/client/src/delivery-rule.ts',
    find: `text: text.slice(known - offset)`,
    replace: `text`,
    proof: { workspace: 'packages/client', testFile: 'test/delivery.property.test.ts' },
  },
  {
    id: 'BR-4',
    what: 'a tab that joins another misses the event behind its cursor',
    file: 'packages/client/src/tabs/stream-history.ts',
    find: `entries.slice(at + 1)`,
    replace: `entries.slice(at + 2)`,
    proof: { workspace: 'packages/client', testFile: 'test/tabs.test.ts' },
  },
  {
    id: 'BR-4',
    what: 'a stream that a browser opens again begins where it first began',
    file: 'packages/websocket-core/src/handshake.ts',
    find: `resume: lastEventId === '' ? resumeOf(query) : parseEventId(lastEventId),`,
    replace: `resume: resumeOf(query) ?? (lastEventId === '' ? undefined : parseEventId(lastEventId)),`,
    proof: { workspace: 'packages/websocket-core', testFile: 'test/streams.test.ts' },
  },
  {
    id: 'BR-4',
    what: 'appends of one turn know nothing of each other',
    file: 'packages/event-log-file/src/append-item.ts',
    find: `    if (this.producer !== undefined && this.producer.id === earlier.producer?.id) return true;
    return this.drafts.some(({ runId }) => runId !== undefined && earlier.#concerns(runId));
`,
    replace: `    return earlier.#concerns('');
`,
    proof: { workspace: 'packages/event-log-file', testFile: 'test/model.test.ts' },
  },
  {
    id: 'BR-5',
    what: 'the window of what is in flight has no end',
    file: 'packages/bridge-factory/src/flow-window.ts',
    find: `return Math.max(0, this.#maxUnackedBytes - this.#unackedBytes);`,
    replace: `return this.#maxUnackedBytes;`,
    proof: { workspace: 'packages/bridge-factory', testFile: 'test/flow.test.ts' },
  },
  {
    id: 'BR-5',
    what: 'a reader that has stopped is pushed to',
    file: 'packages/bridge-factory/src/cursor-flow.ts',
    find: `    if (bufferedBytes >= socketBufferLowBytes) return false;
    return bufferedBytes + bytes <= socketBufferHighBytes && bytes <= this.#window.roomBytes;`,
    replace: `    return bufferedBytes + socketBufferLowBytes < socketBufferHighBytes || bytes <= this.#window.roomBytes;`,
    proof: { workspace: 'packages/bridge-factory', testFile: 'test/flow.test.ts' },
  },
  {
    id: 'BR-6',
    what: 'only the first tab is woken',
    file: 'packages/bridge-factory/src/user-stream.ts',
    find: `of this.#deps.connections.connectionsOf(this.#userId)) {`,
    replace: `of this.#deps.connections.connectionsOf(this.#userId).slice(0, 1)) {`,
    proof: { workspace: 'packages/bridge-factory', testFile: 'test/delivery.test.ts' },
  },
  {
    id: 'BR-7',
    what: 'an append is acknowledged before it is written',
    file: 'packages/event-log-file/src/group-writer.ts',
    find: `segment.file.write(bytes, segment.end);`,
    replace: `const [{ file, end }, copy] = [segment, bytes.slice()];
      this.#deps.clock.nextTurn(() => file.write(copy, end));`,
    proof: { workspace: 'packages/event-log-file', testFile: 'test/crash.test.ts' },
  },
  {
    id: 'BR-7',
    what: 'what a torn write has left stays in the log',
    file: 'packages/event-log-file/src/read-log.ts',
    find: `  segment.end = unfinished.offset;
`,
    replace: '',
    proof: { workspace: 'packages/event-log-file', testFile: 'test/crash.test.ts' },
  },
  {
    id: 'BR-7',
    what: 'who has appended what is forgotten with the process',
    file: 'packages/event-log-file/src/replay.ts',
    find: `const producer = id === undefined ? undefined : { id, attempt, n };`,
    replace: `const producer = id === undefined || n > 0 ? undefined : { id, attempt, n };`,
    proof: { workspace: 'packages/event-log-file', testFile: 'test/crash.test.ts' },
  },
  {
    id: 'BR-7',
    what: 'an append is made again though its producer key was there before',
    file: 'packages/event-log-file/src/append-item.ts',
    find: `user.ledger.admit(drafts, producer)`,
    replace: `user.ledger.admit(drafts, producer && undefined)`,
    proof: { workspace: 'packages/event-log-file', testFile: 'test/crash.test.ts' },
  },
  {
    id: 'BR-7',
    what: 'with fsync always nothing is synced',
    file: 'packages/event-log-file/src/group-writer.ts',
    find: `      await segment.file.sync();
`,
    replace: '',
    proof: { workspace: 'apps/server', testFile: 'test/startup/event-log.test.ts' },
  },
  {
    id: 'BR-7',
    what: 'seq begins again behind events that are gone',
    file: 'packages/event-log-file/src/replay.ts',
    find: `    if (head > user.head) user.restart(head + 1);
`,
    replace: `    void head;
`,
    proof: { workspace: 'packages/event-log-file', testFile: 'test/compaction.test.ts' },
  },
  {
    id: 'BR-7',
    what: 'who has appended what is forgotten with the records of it',
    file: 'packages/event-log-file/src/state-item.ts',
    find: `(user.knownLedger ?? createUserLedger()).snapshot(`,
    replace: `createUserLedger().snapshot(`,
    proof: { workspace: 'packages/event-log-file', testFile: 'test/compaction.test.ts' },
  },
  {
    id: 'BR-7',
    what: 'recovery forgets the outbox',
    file: 'packages/agent-handler/src/recovery.ts',
    find: `await createOutbox({ clock, logger, runs, append }).repeat();`,
    replace: `{ ...createOutbox({ clock, logger, runs, append }), appended: 0, failed: 0 };`,
    proof: { workspace: 'packages/agent-handler', testFile: 'test/crash-points.test.ts' },
  },
  {
    id: 'BR-7',
    what: 'what is in the outbox counts as appended before it is',
    file: 'packages/agent-handler/src/outbox.ts',
    find: `      await this.#appendOnce(entry, append);
      await runs.markAppended(userId, producer);
`,
    replace: `      await runs.markAppended(userId, producer);
      await this.#appendOnce(entry, append);
`,
    proof: { workspace: 'packages/agent-handler', testFile: 'test/crash-points.test.ts' },
  },
  {
    id: 'BR-7',
    what: 'the end that recovery gives a run fences nobody',
    file: 'packages/agent-handler/src/run-terminal.ts',
    find: `producer: { id: runId, attempt: attempt + 1, n: 1 },`,
    replace: `producer: { id: runId, attempt, n: 1 },`,
    proof: { workspace: 'packages/agent-handler', testFile: 'test/crash-points.test.ts' },
  },
  {
    id: 'BR-7',
    what: 'a process whose run another has taken over appends on',
    file: 'packages/event-log/src/producer-state.ts',
    find: `producer.attempt < attempt)`,
    replace: `producer.attempt < 1)`,
    proof: { workspace: 'packages/agent-handler', testFile: 'test/retry.test.ts' },
  },
  {
    id: 'BR-7',
    what: 'runs of a process that died stay open',
    file: 'packages/agent-handler/src/recovery.ts',
    find: `const isEnded = await runs.finishRun({`,
    replace: `const isEnded = await (async (..._: Parameters<typeof runs.finishRun>) => true)({`,
    proof: { workspace: 'packages/agent-handler', testFile: 'test/crash-points.test.ts' },
  },
  {
    id: 'BR-8',
    what: 'a cursor of a fork is read on from',
    file: 'packages/event-log/src/check-cursor.ts',
    find: `id !== idAt(seq)) return 'fork';`,
    replace: `id !== idAt(seq)) return undefined;`,
    proof: { workspace: 'packages/event-log', testFile: 'test/check-cursor.test.ts' },
  },
  {
    id: 'BR-8',
    what: 'a trimmed cursor is reset as one of another epoch',
    file: 'packages/event-log/src/check-cursor.ts',
    find: `if (seq < stream.first - 1) return 'trimmed';`,
    replace: `if (seq < stream.first - 1) return 'epoch';`,
    proof: { workspace: 'packages/bridge-factory', testFile: 'test/delivery.test.ts' },
  },
  {
    id: 'BR-8',
    what: 'a client that is told to start over goes on where it was',
    file: 'packages/client/src/delivery.ts',
    find: `this.#restart(cursorAt(epoch, head, headId));`,
    replace: `void cursorAt(epoch, head, headId);`,
    proof: { workspace: 'packages/client', testFile: 'test/reset.test.ts' },
  },
  {
    id: 'BR-8',
    what: 'a record is served whatever its checksum says',
    file: 'packages/event-log-file/src/record-format.ts',
    find: `return source.readUInt32LE(start + 8) === recordChecksum(source, start, head.length) ? head : undefined;`,
    replace: `void recordChecksum(source, start, head.length);
  return head;`,
    proof: { workspace: 'packages/event-log-file', testFile: 'test/damage-cases.test.ts' },
  },
  {
    id: 'BR-9',
    what: 'a run counts as applied before its last event is',
    file: 'apps/server/src/delivery/run-deliveries.ts',
    find: `if (run.lastSeq > seq || run.appliedBy`,
    replace: `if (run.appliedBy`,
    proof: { workspace: 'apps/server', testFile: 'test/delivery/run-deliveries.test.ts' },
  },
  {
    id: 'BR-9',
    what: 'an end that is appended again counts from now',
    file: 'apps/server/src/delivery/run-deliveries.ts',
    find: `result.duplicate ? null : this.#clock.nowMs()`,
    replace: `this.#clock.nowMs()`,
    proof: { workspace: 'apps/server', testFile: 'test/delivery/run-deliveries.test.ts' },
  },
  {
    id: 'WS-8',
    what: 'what is sent to a peer is taken for life of it',
    file: 'packages/websocket-core/src/liveness.ts',
    find: `    this.#flow = flow;
`,
    replace: `    this.#flow = flow;
    this.noteInbound();
`,
    proof: { workspace: 'packages/websocket-core', testFile: 'test/liveness.test.ts' },
  },
  {
    id: 'WS-8',
    what: 'a reader of large frames gets no time to read them',
    file: 'packages/websocket-core/src/liveness.ts',
    find: `silenceTimeoutMs + extraSilenceMs(this.#flow.largestFrameBytes)`,
    replace: `silenceTimeoutMs + 0 * extraSilenceMs(this.#flow.largestFrameBytes)`,
    proof: { workspace: 'packages/websocket-core', testFile: 'test/liveness.test.ts' },
  },
  {
    id: 'WS-8',
    what: 'what is posted for a stream is no life of it',
    file: 'packages/websocket-core/src/connection.ts',
    find: `  #take(incoming: Incoming): void {
    this.liveness.noteInbound();
`,
    replace: `  #take(incoming: Incoming): void {
    if (incoming.reply === this) this.liveness.noteInbound();
`,
    proof: { workspace: 'packages/websocket-core', testFile: 'test/streams.test.ts' },
  },
  {
    id: 'WS-2',
    what: 'sockets are accepted before the server is ready',
    file: 'packages/websocket-core/src/upgrade.ts',
    find: `if (!readiness.ready) {`,
    replace: `if (!readiness.ready && checks.options.path === '') {`,
    proof: { workspace: 'packages/websocket-core', testFile: 'test/upgrade.test.ts' },
  },
  {
    id: 'AG-3',
    what: 'a run that times out ends as failed',
    file: 'packages/agent-handler/src/verdict.ts',
    find: `status: 'timed_out',`,
    replace: `status: 'failed',`,
    proof: { workspace: 'packages/agent-handler', testFile: 'test/execution-engine.test.ts' },
  },
  {
    id: 'AG-3',
    what: 'a run that says nothing more is never ended',
    file: 'packages/agent-handler/src/watchdog.ts',
    find: `Math.max(startedAtMs, run.lastEmitAtMs())`,
    replace: `Math.max(nowMs, run.lastEmitAtMs())`,
    proof: { workspace: 'packages/agent-handler', testFile: 'test/execution-engine.test.ts' },
  },
  {
    id: 'AG-4',
    what: 'a run ends with the request that asked for it',
    file: 'packages/agent-handler/src/agent-message-handler.ts',
    find: `return this.#answer(await this.#deps.runs.acceptMessage(accept), { accept, context, place });`,
    replace: `request.signal.addEventListener('abort', () => void supervisor.stop(accept.runId));
      return this.#answer(await this.#deps.runs.acceptMessage(accept), { accept, context, place });`,
    proof: { workspace: 'packages/agent-handler', testFile: 'test/run-supervisor.test.ts' },
  },
  {
    id: 'AU-1',
    what: 'tokens are issued with a claim of another name than is verified',
    file: 'apps/server/src/auth/access-tokens.ts',
    find: `new SignJWT({ sid: sessionId })`,
    replace: `new SignJWT({ sessionId })`,
    proof: { workspace: 'tests', testFile: 'test/bare-client.test.ts' },
  },
  {
    id: 'AU-2',
    what: 'tokens are decoded and not verified',
    file: 'apps/server/src/auth/access-tokens.ts',
    find: `import { errors, jwtVerify, SignJWT } from 'jose';`,
    replace: `import { decodeJwt, errors, SignJWT } from 'jose';

const jwtVerify = async (token: string, ..._: unknown[]) => ({ payload: decodeJwt(token) });`,
    proof: { workspace: 'tests', testFile: 'test/authentication.test.ts' },
  },
  {
    id: 'AU-2',
    what: 'tokens of a revoked session count on',
    file: 'apps/server/src/persistence/account-store.ts',
    find: `return row !== undefined && row.revoked_at_ms === null;`,
    replace: `return row !== undefined;`,
    proof: { workspace: 'tests', testFile: 'test/authentication.test.ts' },
  },
];
