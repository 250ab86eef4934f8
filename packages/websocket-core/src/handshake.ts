import { BEARER_PREFIX, type ClientMessageOf, type ResumeRequest, SUBPROTOCOL } from '@runwire/protocol';
import { parseEventId } from './event-id.js';

/** The part of an HTTP request that a handshake is made of. `IncomingMessage` fits. */
export interface HandshakeRequest {
  readonly url?: string | undefined;
  readonly headers: Readonly<Record<string, string | readonly string[] | undefined>>;
}

/** What a client says about itself when it connects. */
export interface Credentials {
  readonly token: string;
  readonly resume: ResumeRequest | undefined;
  readonly replaces: string | undefined;
}

/** The part of `URLSearchParams` that is asked. */
interface Query {
  get(name: string): string | null;
}

const BEARER_HEADER = /^Bearer +(\S+) *$/i;
const BASE64URL = /^[A-Za-z0-9_-]+=*$/;
const WHOLE_NUMBER = /^\d{1,15}$/;

/** What asks nothing. */
const NO_QUERY = Object.freeze({ get: () => null });

/** The path of a request, without its query. */
export function pathOf({ url = '' }: HandshakeRequest): string {
  const end = url.indexOf('?');
  return end === -1 ? url : url.slice(0, end);
}

/** Whether a client offers subprotocols and ours is none of them. The token's entry alone is no offer of ours. */
export function offersOnlyOthers(request: HandshakeRequest): boolean {
  // As nearly all clients offer it: nothing to take apart.
  if (headerOf(request, 'sec-websocket-protocol') === SUBPROTOCOL) return false;
  const offered = offeredSubprotocols(request);
  return offered.length > 0 && !offered.includes(SUBPROTOCOL);
}

/**
 * The token of a handshake with what belongs to it; undefined when the first frame must bring it. The header
 * wins over the subprotocol (protocol §2).
 */
export function credentialsOf(request: HandshakeRequest): Credentials | undefined {
  const token = headerToken(request) ?? subprotocolToken(request);
  if (token === undefined) return undefined;
  const query = queryOf(request);
  return { token, resume: resumeOf(query), replaces: query.get('replaces') ?? undefined };
}

/**
 * The token of a request for a stream, which only its header can bring; undefined without one. The cursor of
 * `Last-Event-ID` wins over the query's (protocol §8).
 */
export function streamCredentialsOf(request: HandshakeRequest): Credentials | undefined {
  const token = headerToken(request);
  if (token === undefined) return undefined;
  const query = queryOf(request);
  const lastEventId = headerOf(request, 'last-event-id');
  return {
    token,
    resume: lastEventId === '' ? resumeOf(query) : parseEventId(lastEventId),
    replaces: query.get('replaces') ?? undefined,
  };
}

/** The credentials of a first frame. */
export function credentialsOfMessage(message: ClientMessageOf<'authenticate'>): Credentials {
  return { token: message.token, resume: message.resume, replaces: message.replaces };
}

/** One header's text; `''` when it is absent. */
export function headerOf(request: HandshakeRequest, name: string): string {
  const value = request.headers[name];
  return typeof value === 'string' ? value : (value?.join(',') ?? '');
}

function headerToken(request: HandshakeRequest): string | undefined {
  return BEARER_HEADER.exec(headerOf(request, 'authorization'))?.[1];
}

function subprotocolToken(request: HandshakeRequest): string | undefined {
  const entry = offeredSubprotocols(request).find((offer) => offer.startsWith(BEARER_PREFIX));
  if (entry === undefined) return undefined;
  const encoded = entry.slice(BEARER_PREFIX.length);
  // What is no base64url is no token; verified as it is, it is refused as one.
  return BASE64URL.test(encoded) ? Buffer.from(encoded, 'base64url').toString('utf8') : encoded;
}

/** The subprotocols a client offers, tokens included. */
function offeredSubprotocols(request: HandshakeRequest): readonly string[] {
  return headerOf(request, 'sec-websocket-protocol')
    .split(',')
    .map((entry) => entry.trim())
    .filter((entry) => entry !== '');
}

function queryOf({ url = '' }: HandshakeRequest): Query {
  const at = url.indexOf('?');
  return at === -1 ? NO_QUERY : new URLSearchParams(url.slice(at + 1));
}

/** Nothing is judged here: what does not parse leads to `reset: epoch`, in the one place that decides. */
function resumeOf(query: Query): ResumeRequest | undefined {
  const epoch = query.get('epoch');
  const seq = query.get('seq');
  const id = query.get('id');
  if (epoch === null && seq === null && id === null) return undefined;
  return {
    ...(epoch === null ? {} : { epoch }),
    ...(seq === null ? {} : { seq: WHOLE_NUMBER.test(seq) ? Number(seq) : seq }),
    ...(id === null ? {} : { id }),
  };
}
