/** What must hold, by id. A test that proves a requirement cites its id in its title: `[ID-3] …`. */
export const REQUIREMENTS = {
  'ID-1': 'Every id is created by id-generation; nanoid, randomUUID and uuid are lint errors elsewhere.',
  'ID-2':
    'Ids are typed (a thread id is no run id at compile time) and parse back to kind and creation time; malformed ones are refused with what was expected.',
  'ID-3': 'A run id proves its thread; a context whose run and thread disagree is refused.',
  'ID-4': '1,000,000 ids over 8 workers: no duplicate; order of creation = lexical order to the millisecond.',
  'CX-1': 'fromRequest needs user, thread and run; blank → error naming the field.',
  'CX-2': 'Placeholders are refused, any case',
  'CX-3': 'Deeply frozen, inputs copied; a mutation of what went in or came out changes nothing.',
  'CX-4':
    'Reserved keys (userId threadId runId requestId connectionId createdAt) in the metadata, or a nested different user id → refused.',
  'CX-5': 'Children: same user, thread, run; own request id; depth ≤ 10; parent unchanged.',
  'CX-6':
    "A context works without a database session; currentContext() is request-scoped, never global; two interleaved async flows never see each other's.",
  'CX-7':
    "Three scopes: connection, request (one command or HTTP call), run. A socket drop closes the connection's scope and aborts the requests on it that have not committed",
  'CX-8':
    "UUIDs and an outside issuer's subjects are mapped to own ids at the door; fromRequest accepts a UUID as user or thread id; a run id is always ours.",
  'WS-1':
    'Order: readiness → subprotocol → accept → authenticate → admit → register handlers → established → messages → cleanup. No operation on a socket that is not accepted',
  'WS-2': 'Connections before start-up is complete: 503 with Retry-After; never a handler-missing error.',
  'WS-3':
    'Handlers belong to one connection; after 1,000 connect/disconnect cycles the counts of handlers, timers, listeners, map entries are zero',
  'WS-4': '{"type":"chat","content":"test"} starts a run and is never answered by an error.',
  'WS-5':
    '10 (and 1,000) rapid connects and disconnects, closing in every handshake state: no exception, no leak.',
  'WS-6':
    "Malformed, oversized, unknown, blank, flooding, binary, deeply nested, invalid UTF-8 input: the documented error, the connection's own limits, nobody else affected.",
  'WS-7': 'Close codes only from the table.',
  'WS-8':
    'Liveness as in protocol §3: a black-holed peer is found in ≤ 30 s by the manual clock; a message sent while a ping is unanswered is delivered in the same turn',
  'WS-9':
    'Rate limits per user and per IP answer with retryAfterMs and do not cut the connection, floods excepted (4429).',
  'MG-1':
    'managerFor(context): synchronous, one positional argument, the same instance for the same user, another for another user; a foreign connection is refused',
  'MG-2':
    'Awaiting it, calling it with named arguments, or changing its signature fails typecheck or lint in every caller, each case a fixture that must fail with its named rule.',
  'MG-3': '50 users × 20 events under churn: 0 events at the wrong user.',
  'MG-4':
    'Two servers composed in one process with different data serve two conversations at once and share nothing; no package exports mutable state.',
  'CP-1':
    'Limits per user, IP and in total at limit and limit + 1; get or remove by a non-owner is refused and counted.',
  'CP-2': 'Health monitoring starts and stops with the pool, finds dead connections; stats() shows them.',
  'BR-1':
    'The bridge factory cannot be built without log and connections: compile error and run-time error. It really sends: proven with a real socket and a real run.',
  'BR-2':
    'The five events arrive in order for each run of the demo agent that uses a tool: agent_started, agent_thinking, tool_executing, tool_completed, agent_completed',
  'BR-3':
    'Events emitted while nobody is connected arrive, in order, when the user connects with its last cursor or with seq: 0.',
  'BR-4':
    'Resume after a drop at any point: no loss, no duplicate to the application, same order. Property test over random cut schedules; final text byte-equal.',
  'BR-5':
    'A reader that stops reading while 100 MB are emitted is closed at its limit; memory of the server bounded meanwhile; after its resume nothing is lost.',
  'BR-6':
    'Several tabs and devices each get everything once; a tab joining mid-run, or opening a second thread on a live page, gets the run so far (protocol §6).',
  'BR-7':
    'The server killed with -9 100 times (durable log), half at random times, half at named points (before and after SQL commit, append, write, wake, frame, terminal commit, terminal append, …',
  'BR-8':
    'A trimmed, foreign or forked cursor gets reset with the right reason; the client recovers by itself.',
  'BR-9':
    'Delivery is measured from acks: emitted = applied for connected users (100 %), with the time between.',
  'AG-1':
    'A message starts the agent with its own engine, emitter (before the tools), dispatcher, abort signal; all gone afterwards.',
  'AG-2':
    'Each tool call: one tool_executing, one tool_completed in every outcome; input validated; unknown tool → a failed result naming the tools there are',
  'AG-3':
    'Failure, timeout (10 min, and 60 s without any emitted event, both set per agent; waiting for an approval stops both clocks), cancel, disposal',
  'AG-4': "Runs go on when the user's connections are gone; the answer is there when they return.",
  'AG-5': 'Stop: ≤ 1 s to the terminal event, from any tab, from any node; stopping twice is harmless.',
  'AG-6':
    'Second message in a busy thread: reject, enqueue or interrupt, as asked. Limits: concurrent runs per user (3) and in total.',
  'AG-7': 'Approval: a tool marked needsApproval waits for the user, over reconnects; expiry denies.',
  'AG-8':
    "50 users at once: ≥ 99 % complete, 0 cross-talk; one agent's crash does not end others' runs; a tool that blocks the loop for 2 s closes no connection",
  'AG-9':
    'Agents on a real model: any OpenAI-compatible endpoint through the AI SDK, streaming text, reasoning and tool calls',
  'TH-1':
    'Threads, messages and runs survive a restart; ownership checked on every call (foreign = not found).',
  'TH-2':
    'One session per request, opened and closed by its scope; rolled back on error; a leak test over 1,000 requests.',
  'TH-3': 'SQLite by default, PostgreSQL by DATABASE_URL: the same suite passes on both.',
  'AU-1':
    'Login → token → socket → answer works end to end without any bypass; there is no demo or test switch that skips authentication.',
  'AU-2':
    "Missing, malformed, expired, wrong-signature, wrong-audience, revoked, other user's token: refused with its code, on HTTP and on the socket.",
  'AU-3':
    'Refresh rotates; of 10 concurrent refreshes one wins and nobody is logged out; later reuse revokes the family.',
  'AU-4': 'Logout and revocation end live sockets ≤ 2 s, on every node.',
  'AU-5':
    'Origin allow-list; passwords hashed with a memory-hard function; login throttled; no token in a log, URL, error or echoed header.',
  'ST-1':
    'Phases in order, each needing the former; a failing dependency stops the start with its name; readiness tells what is missing.',
  'ST-2':
    'SIGTERM under load: the invariants of reliability.md, clients moved, runs ended or handed over, exit 0 within the deadline.',
  'ST-3':
    'A dependency that dies later (Redis, PostgreSQL): readiness shows it, clients keep their connection or get reset, and the server heals by itself.',
  'SC-1': 'N nodes on one Redis: run on node A, connection on node B, same guarantees; no sticky sessions.',
  'SC-2':
    'A node killed with -9: its clients resume on another, its runs end (interrupted, or retried when the agent allows) ≤ 25 s, once.',
  'SC-3':
    'Redis restarted, frozen, or failed over to a lagging replica: heal or explicit reset, never a silent gap',
  'OB-1': 'Prometheus metrics',
  'OB-2':
    'Structured logs with request, run and connection ids, secrets redacted; OpenTelemetry spans from command to ack when an SDK is present.',
  'OB-4':
    'Ratios that show health at a glance: connects accepted, messages routed, events acked; counts: registration failures, scope and session errors, handlers alive.',
  'OB-3': "An operations page shows users' connections, lag, runs and each run's event timeline.",
  'CT-1':
    'A changed exported signature fails the build in the package that composes it, and the API report check, until both are changed on purpose with a changeset.',
  'CT-2': 'A wire message that would break a released client fails the build.',
  'CT-3':
    "A new adapter of a contract passes that contract's conformance cases, which are published for others' adapters too.",
  'CT-5':
    'createServerMessage and createErrorMessage with a missing argument: compile error, and CodedError naming it.',
  'CT-4':
    'The packages, packed as they would be published, install and run in a folder outside the repository, in Node (ESM) and, for protocol, client and react, in a browser.',
  'QA-1':
    "npm run test:critical: the replaced system's failures by name, with real sockets and real login, < 3 min, 100 %.",
} as const;

/** An id of {@link REQUIREMENTS}. */
export type RequirementId = keyof typeof REQUIREMENTS;

/** What later versions will prove. Everything else is cited by a test now. */
export const LATER: readonly RequirementId[] = [
  'AG-6',
  'AG-7',
  'AG-8',
  'AG-9',
  'TH-3',
  'ST-3',
  'SC-1',
  'SC-2',
  'SC-3',
  'OB-1',
  'OB-2',
  'OB-3',
  'OB-4',
];
