import type { Caller, Network } from '../network/network.js';
import type { Requests } from '../network/requests.js';
import type { Actor } from '../scheduler.js';

/** What a request that is no stream is answered. */
export interface HttpAnswer {
  readonly status: number;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: string;
}

/** A message that a page posts beside its stream. */
export interface Post {
  readonly authorization: string;
  readonly connectionId: string;
  readonly text: string;
}

/** Who answers a request, and how; undefined when no process listens. */
export type Serving<T> = { readonly node: Actor; readonly answer: () => Promise<T> } | undefined;

/** What a page's requests are made of. */
export interface PageFetchDeps {
  readonly network: Network;
  readonly requests: Requests;
  readonly caller: Caller;
  /** `GET /ws`. */
  readonly probe: () => Serving<HttpAnswer>;
  /** `POST /api/commands`. */
  readonly post: (post: Post) => Serving<HttpAnswer>;
}

type FetchArguments = Parameters<typeof fetch>;

const NEVER = new AbortController().signal;

/** The `fetch` of a page: the service has three addresses that the client knows of. */
export function createPageFetch(deps: PageFetchDeps): typeof fetch {
  const { network, requests, caller, probe, post } = deps;
  return async (target: FetchArguments[0], init: FetchArguments[1] = {}) => {
    const url = target instanceof Request ? target.url : String(target);
    const headers = new Headers(init.headers);
    const authorization = headers.get('authorization') ?? '';
    const signal = init.signal ?? NEVER;
    switch (new URL(url).pathname) {
      case '/ws':
        return responseOf(await unlessAborted(requests.ask(caller, probe), signal));
      case '/api/stream':
        return await network.stream(caller, { url, authorization, signal });
      case '/api/commands': {
        const connectionId = headers.get('runwire-connection') ?? '';
        const serve = () => post({ authorization, connectionId, text: init.body as string });
        return responseOf(await unlessAborted(requests.ask(caller, serve), signal));
      }
      default:
        return responseOf({ status: 404, headers: {}, body: '' });
    }
  };
}

async function unlessAborted<T>(work: Promise<T>, signal: AbortSignal): Promise<T> {
  return await new Promise<T>((resolve, reject) => {
    work.then(resolve, reject);
    signal.addEventListener('abort', () => reject(new TypeError('the request was aborted')));
  });
}

/** What of a response the client looks at. */
function responseOf({ body, headers, status }: HttpAnswer): Response {
  const response = {
    ok: status >= 200 && status < 300,
    status,
    body: null,
    headers: { get: (name: string) => headers[name] ?? null },
    text: async () => body,
    json: async () => JSON.parse(body) as unknown,
  };
  return response as unknown as Response;
}
