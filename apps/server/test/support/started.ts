import { createRecordingLogger, type RecordingLogger } from '@runwire/kernel/testing';
import type { RunningServer } from '../../src/startup/server-process.js';
import { type StartOptions, startServer } from '../../src/startup/start-server.js';
import { tempDirectory } from './temp-directory.js';

/** A server of a test on a free port, with a data folder of its own. */
export interface Started extends AsyncDisposable {
  readonly server: RunningServer;
  readonly logger: RecordingLogger;
  call(method: string, path: string, options?: CallOptions): Promise<{ status: number; body: Answer }>;
  /** Registers a user, and settles to its token. */
  register(email: string): Promise<string>;
}

/** What goes with a call. */
export interface CallOptions {
  readonly token?: string;
  readonly body?: unknown;
}

/** A JSON answer, looked into by a test. */
// biome-ignore lint/suspicious/noExplicitAny: answers of every shape
export type Answer = any;

/** Starts a server. */
export async function start(
  environment: Readonly<Record<string, string>> = {},
  options: StartOptions = {},
): Promise<Started> {
  const directory = await tempDirectory();
  const logger = createRecordingLogger();
  const env = { PORT: '0', RUNWIRE_DATA_DIR: directory.path, ...environment };
  const server = await startServer(env, { logger, webDirectory: '/nowhere', ...options });
  const call: Started['call'] = (method, path, sent) => callHttp(server.url, method, path, sent);
  return {
    server,
    logger,
    call,
    async register(email) {
      const { status, body } = await call('POST', '/auth/register', {
        body: { email, password: 'correct horse' },
      });
      if (status !== 201) throw new Error(`Registration was answered ${status}: ${JSON.stringify(body)}`);
      return body.accessToken;
    },
    async [Symbol.asyncDispose]() {
      await server.close();
      await directory[Symbol.asyncDispose]();
    },
  };
}

/** Calls a server over HTTP. */
export async function callHttp(url: string, method: string, path: string, { token, body }: CallOptions = {}) {
  const response = await fetch(new URL(path, url), {
    method,
    headers: {
      ...(token === undefined ? {} : { authorization: `Bearer ${token}` }),
      ...(body === undefined ? {} : { 'content-type': 'application/json' }),
    },
    ...(body === undefined ? {} : { body: JSON.stringify(body) }),
  });
  const text = await response.text();
  const isJson = (response.headers.get('content-type') ?? '').includes('json') && text !== '';
  return { status: response.status, body: (isJson ? JSON.parse(text) : text) as Answer };
}
