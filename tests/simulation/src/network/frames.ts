import { Buffer } from 'node:buffer';
import type { UpgradeAnswer } from '@runwire/websocket-core';
import type { WireFrame } from './pipe.js';

/** Of an HTTP answer that accepts an upgrade. */
const UPGRADED_BYTES = 129;
const MASK_BYTES = 4;
/** A chunk's length and its line ends. */
const CHUNK_BYTES = 8;
const CLOSE_CODE_BYTES = 2;

/** Whether a client sends it: then it is masked. */
type From = 'client' | 'server';

/** A text frame as it travels. */
export function textFrame(text: string, from: From, bytes = Buffer.byteLength(text)): WireFrame {
  return { kind: 'text', text, bytes: bytes + headerBytes(bytes, from) };
}

/** The answer that accepts the upgrade: what comes before the first frame. */
export const OPEN_FRAME: WireFrame = Object.freeze({ kind: 'open', text: '', bytes: UPGRADED_BYTES });

/** The answer to a request that is not followed by anything: its status and headers are its text. */
export function answerFrame(answer: UpgradeAnswer): WireFrame {
  const text = JSON.stringify(answer);
  return { kind: 'open', text, bytes: UPGRADED_BYTES + Buffer.byteLength(text) };
}

/** A piece of a body as it travels, in a chunk of its own. */
export function chunkFrame(text: string): WireFrame {
  return { kind: 'text', text, bytes: Buffer.byteLength(text) + CHUNK_BYTES };
}

/** A ping or a pong without a payload. */
export function controlFrame(kind: 'ping' | 'pong', from: From): WireFrame {
  return { kind, text: '', bytes: headerBytes(0, from) };
}

/** A close frame. */
export function closeFrame(code: number, reason: string, from: From): WireFrame {
  const bytes = Buffer.byteLength(reason) + CLOSE_CODE_BYTES;
  return { kind: 'close', text: reason, code, bytes: bytes + headerBytes(bytes, from) };
}

function headerBytes(payload: number, from: From): number {
  const length = payload < 126 ? 2 : payload < 65_536 ? 4 : 10;
  return from === 'client' ? length + MASK_BYTES : length;
}
