import { hash } from 'node:crypto';
import type { IncomingMessage } from 'node:http';
import type { Duplex } from 'node:stream';
import { BEARER_PREFIX, SUBPROTOCOL } from '@runwire/protocol';

const KEY = /^[+/0-9A-Za-z]{22}==$/;
/** What a key is hashed with (RFC 6455 §1.3). */
const KEY_SUFFIX = '258EAFA5-E914-47DA-95CA-C5AB0DC85B11';
/** Ours alone, or, from a browser, with the token behind it. */
const OFFER = new RegExp(
  `^${SUBPROTOCOL.replace('.', '\\.')}(?:, *${BEARER_PREFIX.replace('.', '\\.')}[\\w-]+)?$`,
);

/**
 * The key of a handshake as clients of ours send it, with nothing about it that could be wrong. Undefined for any
 * other, which `ws` judges. To complete it by our own hand saves a twentieth of a connect: `ws` takes the offer
 * apart, gathers headers and makes a hash object.
 */
export function plainHandshakeKey(request: IncomingMessage, socket: Duplex): string | undefined {
  const { headers, method } = request;
  const key = headers['sec-websocket-key'];
  if (key === undefined || !KEY.test(key) || method !== 'GET') return undefined;
  if (headers['sec-websocket-version'] !== '13' || headers.upgrade !== 'websocket') return undefined;
  if (!OFFER.test(headers['sec-websocket-protocol'] ?? '')) return undefined;
  // A peer that has ended already.
  return socket.readable && socket.writable ? key : undefined;
}

/** The answer to a plain handshake, byte for byte as `ws` writes it. */
export function plainHandshakeAnswer(key: string): string {
  return (
    'HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n' +
    `Sec-WebSocket-Accept: ${hash('sha1', key + KEY_SUFFIX, 'base64')}\r\n` +
    `Sec-WebSocket-Protocol: ${SUBPROTOCOL}\r\n\r\n`
  );
}
