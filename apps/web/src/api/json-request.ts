import { ApiError, type FieldIssue } from './api-error.js';

/** One HTTP call to the server of this page. */
export interface JsonRequest {
  readonly method: 'GET' | 'POST' | 'PATCH' | 'DELETE';
  readonly path: string;
  readonly body?: unknown;
  readonly accessToken?: string;
}

const TIMEOUT_MS = 30_000;

/**
 * Makes the call and reads its JSON; undefined for an empty answer.
 *
 * @throws ApiError
 */
export async function requestJson(request: JsonRequest): Promise<unknown> {
  const response = await reach(request);
  const body = await readBody(response);
  if (response.ok) return body;
  throw problemOf(response, body);
}

async function reach({ method, path, body, accessToken }: JsonRequest): Promise<Response> {
  const headers = new Headers({ accept: 'application/json' });
  if (body !== undefined) headers.set('content-type', 'application/json');
  if (accessToken !== undefined) headers.set('authorization', `Bearer ${accessToken}`);
  try {
    const signal = AbortSignal.timeout(TIMEOUT_MS);
    const json = body === undefined ? null : JSON.stringify(body);
    return await fetch(path, { method, headers, body: json, signal, credentials: 'omit' });
  } catch (cause) {
    throw unreachable(cause);
  }
}

async function readBody(response: Response): Promise<unknown> {
  try {
    const text = await response.text();
    return text === '' ? undefined : (JSON.parse(text) as unknown);
  } catch (cause) {
    if (response.ok) throw unreachable(cause);
    return undefined;
  }
}

function unreachable(cause: unknown): ApiError {
  const message = 'The server cannot be reached. Check your connection and try again.';
  return new ApiError({ status: 0, code: 'NETWORK', message }, cause);
}

interface ErrorAnswer {
  readonly error?: {
    readonly code?: string;
    readonly message?: string;
    readonly details?: { readonly issues?: readonly FieldIssue[] };
  };
}

function problemOf(response: Response, body: unknown): ApiError {
  const error = (body as ErrorAnswer | undefined)?.error;
  const retryAfterMs = Number(response.headers.get('retry-after') ?? Number.NaN) * 1_000;
  return new ApiError({
    status: response.status,
    code: error?.code ?? 'INTERNAL',
    message: error?.message ?? `The server answered ${response.status}. Please try again.`,
    ...(Number.isFinite(retryAfterMs) ? { retryAfterMs } : {}),
    ...(error?.details?.issues === undefined ? {} : { issues: error.details.issues }),
  });
}
