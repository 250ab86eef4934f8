import { createRunwireClient, type RunwireClient } from '@runwire/client';
import { createServerApi, type ServerApi } from '../api/server-api.js';
import { createDrafts, type Drafts } from '../composer/drafts.js';
import { createOutboxStorage } from '../composer/outbox-storage.js';
import { createOutgoingMessages, messageOf, type OutgoingMessages } from '../composer/outgoing.js';
import { problemOf } from '../composer/send-problem.js';
import { createRetryableSignals, type RetryableSignals } from '../connection/page-signals.js';
import { type AccessTokens, createAccessTokens } from '../session/access-tokens.js';
import { signOut } from '../session/auth-api.js';
import type { SessionStore } from '../session/session-store.js';
import { createValueStore, type ReadableStore } from '../state/value-store.js';
import { createThreadList, type ThreadList } from '../threads/thread-list.js';

/** Everything that belongs to one sign-in in this tab. */
export interface Workspace {
  readonly client: RunwireClient;
  readonly api: ServerApi;
  readonly threads: ThreadList;
  readonly outgoing: OutgoingMessages;
  readonly connection: Connection;
  readonly drafts: Drafts;
  /** Ends the session here and in all tabs; the server is told if it can be reached. */
  signOut(): Promise<void>;
  close(): void;
}

/** The connection, as the page shows and drives it. */
export interface Connection {
  readonly state: ReadableStore<RunwireClient['state']>;
  readonly transport: ReadableStore<RunwireClient['transport']>;
  /** Ends a wait. */
  retryNow(): void;
  /** Starts again after a stop that is `resumable`. */
  reconnect(): void;
  /** Asks for a new sign-in. */
  signInAgain(): void;
}

const SIGN_OUT_TIMEOUT_MS = 3_000;

/** Creates the workspace of the stored session and connects. */
export function createWorkspace(sessions: SessionStore): Workspace {
  const tokens = createAccessTokens(sessions);
  const api = createServerApi(tokens);
  const signals = createRetryableSignals();
  const outbox = createOutboxStorage(sessions.get()?.user.id ?? '');
  const client = createRunwireClient({
    url: '/ws',
    getToken: createTokenSource(tokens),
    loadSnapshot: () => threads.reload(),
    outbox,
    page: signals,
  });
  const outgoing = createOutgoingMessages(client);
  const drafts = createDrafts();
  followKept({ client, outgoing, drafts });
  const threads = createThreadList({ client, api });
  const connection = createConnection({ client, api, sessions, signals, threads });
  void threads.reload();
  return {
    client,
    api,
    threads,
    outgoing,
    connection,
    drafts,
    async signOut() {
      await Promise.race([tellServer(tokens), new Promise((done) => setTimeout(done, SIGN_OUT_TIMEOUT_MS))]);
      outbox.clear();
      sessions.end();
    },
    close() {
      threads.close();
      client.close().catch(() => undefined);
    },
  };
}

/** A message that an earlier page left and that was rejected comes back as a draft, with the reason. */
function followKept(deps: {
  readonly client: RunwireClient;
  readonly outgoing: OutgoingMessages;
  readonly drafts: Drafts;
}): void {
  const { client, outgoing, drafts } = deps;
  client.onError((problem) => {
    for (const { id, threadId = '', text } of problem.command === undefined
      ? []
      : messageOf(problem.command)) {
      outgoing.remove(id);
      drafts.giveBack(threadId, text);
      drafts.setProblem(threadId, problemOf(problem.cause, text));
    }
  });
}

/** Asked to refresh, it gives another token than the one the connection had. */
function createTokenSource(tokens: AccessTokens): (reason: 'connect' | 'refresh') => Promise<string> {
  let last: string | undefined;
  return async (reason) => {
    last = await tokens.current(reason === 'refresh' ? last : undefined);
    return last;
  };
}

function createConnection(deps: {
  readonly client: RunwireClient;
  readonly api: ServerApi;
  readonly sessions: SessionStore;
  readonly signals: RetryableSignals;
  readonly threads: ThreadList;
}): Connection {
  const { client, api, sessions, signals, threads } = deps;
  const state = createValueStore(client.state);
  const transport = createValueStore(client.transport);
  let wasLive = false;
  client.onState((next) => {
    transport.set(client.transport);
    state.set(next);
    // What happened between the first list and the first connection is in neither.
    if (next.kind === 'live' && !wasLive) {
      wasLive = true;
      void threads.reload();
    }
    // Revoked elsewhere, perhaps: if so, this leads to the sign-in page.
    if (next.kind === 'stopped' && next.code === 4403) api.checkSession().catch(() => undefined);
  });
  const connect = (): void => {
    // A stop is in the state; there is nobody else to tell.
    client.connect().catch(() => undefined);
  };
  connect();
  return {
    state,
    transport,
    retryNow: () => signals.retryNow(),
    reconnect: connect,
    signInAgain: () => sessions.end('Please sign in again.'),
  };
}

async function tellServer(tokens: AccessTokens): Promise<void> {
  try {
    await signOut(await tokens.current());
  } catch {
    // Without the server the session ends here alone; its tokens expire by themselves.
  }
}
