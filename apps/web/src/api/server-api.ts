import type { AnswerPart, RunView } from '@runwire/client';
import type { AccessTokens } from '../session/access-tokens.js';
import { ApiError } from './api-error.js';
import { type JsonRequest, requestJson } from './json-request.js';

/** A thread. */
export interface ThreadSummary {
  readonly id: string;
  readonly title: string;
  readonly createdAtMs: number;
  readonly updatedAtMs: number;
}

/** A thread in the list. */
export interface ListedThread extends ThreadSummary {
  /** The run that answers in it now. */
  readonly activeRunId: string | null;
}

/** A page of a list; `before` asks for the next one. */
export interface Page<T> {
  readonly items: readonly T[];
  readonly before: string | null;
}

/** A stored message. */
export type StoredMessage =
  | {
      readonly id: string;
      readonly role: 'user';
      readonly runId: string;
      readonly createdAtMs: number;
      readonly parts: readonly { readonly type: string; readonly text?: string }[];
    }
  | {
      readonly id: string;
      readonly role: 'assistant';
      readonly runId: string;
      readonly createdAtMs: number;
      readonly parts: readonly AnswerPart[];
      readonly run: {
        readonly agent: string;
        readonly status: RunView['status'] | 'accepted';
        readonly error?: { readonly code: string; readonly message: string };
        readonly durationMs: number;
      };
    };

/** A thread with its newest messages and open runs, as of `cursor`. */
export interface ThreadSnapshot {
  readonly thread: ThreadSummary;
  readonly messages: Page<StoredMessage>;
  readonly runs: readonly RunView[];
  readonly cursor: { readonly epoch: string; readonly seq: number; readonly id?: string };
}

/** The server's HTTP calls that the chat makes. Each throws ApiError. */
export interface ServerApi {
  listThreads(before?: string): Promise<Page<ListedThread>>;
  thread(threadId: string, before?: string): Promise<ThreadSnapshot>;
  renameThread(threadId: string, title: string): Promise<void>;
  deleteThread(threadId: string): Promise<void>;
  /** What was too large for an event, by the address the event gave. */
  largeValue(url: string): Promise<unknown>;
  /** Asks whether the session still counts; signs out when it does not. */
  checkSession(): Promise<void>;
}

/** Creates the calls, with a token for each; a 401 is tried once more with a new one. */
export function createServerApi(tokens: AccessTokens): ServerApi {
  const call = async (request: Omit<JsonRequest, 'accessToken'>): Promise<unknown> => {
    const accessToken = await tokens.current();
    try {
      return await requestJson({ ...request, accessToken });
    } catch (cause) {
      if (!(cause instanceof ApiError) || cause.status !== 401) throw cause;
      return await requestJson({ ...request, accessToken: await tokens.current(accessToken) });
    }
  };
  const get = (path: string): Promise<unknown> => call({ method: 'GET', path });
  return {
    listThreads: async (before) => (await get(`/api/threads${page(before)}`)) as Page<ListedThread>,
    thread: async (id, before) => (await get(threadUrl(id) + page(before))) as ThreadSnapshot,
    async renameThread(id, title) {
      await call({ method: 'PATCH', path: threadUrl(id), body: { title } });
    },
    async deleteThread(id) {
      await call({ method: 'DELETE', path: threadUrl(id) });
    },
    async largeValue(url) {
      // The token goes to this server and nowhere else.
      const { origin, pathname, search } = new URL(url, location.href);
      if (origin !== location.origin)
        throw new ApiError({ status: 0, code: 'FORBIDDEN', message: 'Not ours.' });
      return await get(pathname + search);
    },
    async checkSession() {
      await get('/auth/me');
    },
  };
}

function threadUrl(threadId: string): string {
  return `/api/threads/${encodeURIComponent(threadId)}`;
}

function page(before: string | undefined): string {
  return before === undefined ? '' : `?before=${encodeURIComponent(before)}`;
}
