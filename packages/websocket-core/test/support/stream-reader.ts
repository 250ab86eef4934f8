import { once } from 'node:events';
import { Agent, type IncomingMessage, request } from 'node:http';
import type { Socket } from 'node:net';
import type { HttpFixture } from './http-fixture.js';

/** One server-sent event, by its fields. A comment has none. */
export type ServerSent = Readonly<Record<string, string>>;

/** The client's end of a stream. */
export interface StreamReader {
  readonly response: IncomingMessage;
  readonly socket: Socket;
  /** What has come so far, whole events only, comments included. */
  readonly received: readonly ServerSent[];
  /** Settles with the first event that fits, past or to come. */
  until(fits: (event: ServerSent) => boolean): Promise<ServerSent>;
  /** Settles when the body ends: true when it ended whole. */
  readonly ended: Promise<boolean>;
}

/** Asks for a stream and settles with what is answered. */
export async function askForStream(
  fixture: Pick<HttpFixture, 'url'>,
  options: {
    readonly token?: string;
    readonly headers?: Readonly<Record<string, string>>;
    readonly agent?: Agent;
  },
): Promise<IncomingMessage> {
  const { agent = new Agent(), headers = {}, token } = options;
  const asked = request(fixture.url.replace('ws:', 'http:').replace('/ws', '/api/stream'), {
    agent,
    headers: { ...(token === undefined ? {} : { authorization: `Bearer ${token}` }), ...headers },
  });
  asked.on('error', () => {});
  asked.end();
  const [response] = (await once(asked, 'response')) as [IncomingMessage];
  response.on('error', () => {});
  return response;
}

/** Reads a stream from its first byte on. */
export function readStream(response: IncomingMessage): StreamReader {
  const received: ServerSent[] = [];
  const waiting = new Set<() => void>();
  let rest = '';
  response.setEncoding('utf8');
  response.on('data', (text: string) => {
    const blocks = (rest + text).split('\n\n');
    rest = blocks.pop() ?? '';
    received.push(...blocks.map(fieldsOf));
    for (const look of waiting) look();
  });
  const ended = new Promise<boolean>((resolve) => {
    response.once('close', () => resolve(response.complete && rest === ''));
  });
  return {
    response,
    socket: response.socket,
    received,
    ended,
    until: (fits) =>
      new Promise((resolve) => {
        const look = (): void => {
          const found = received.find(fits);
          if (found === undefined) return;
          waiting.delete(look);
          resolve(found);
        };
        waiting.add(look);
        look();
      }),
  };
}

function fieldsOf(block: string): ServerSent {
  return Object.fromEntries(
    block.split('\n').map((line) => {
      const colon = line.indexOf(': ');
      return colon === -1 ? ['comment', line] : [line.slice(0, colon), line.slice(colon + 2)];
    }),
  );
}
