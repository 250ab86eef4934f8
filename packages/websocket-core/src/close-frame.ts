import { CLOSE_CODES } from '@runwire/protocol';
import { SocketError } from './errors.js';

const MAX_REASON_BYTES = 123;
/** Observed when there was no close; never sent. */
const ABNORMAL = 1006;
const SENDABLE: ReadonlySet<number> = new Set(
  Object.keys(CLOSE_CODES)
    .map(Number)
    .filter((code) => code !== ABNORMAL),
);

/** @throws SocketError `SOCKET_INVALID_CLOSE_CODE` for a code that is not in protocol §7 or is never sent */
export function assertCloseCode(code: number): void {
  if (SENDABLE.has(code)) return;
  throw new SocketError('SOCKET_INVALID_CLOSE_CODE', `${code} is no close code that a server sends.`, {
    details: { code },
  });
}

/** A reason that fits a close frame: at most 123 bytes, cut between characters. */
export function fitReason(reason: string): string {
  if (Buffer.byteLength(reason) <= MAX_REASON_BYTES) return reason;
  let fitted = '';
  let bytes = 0;
  for (const character of reason) {
    bytes += Buffer.byteLength(character);
    if (bytes > MAX_REASON_BYTES) break;
    fitted += character;
  }
  return fitted;
}
