import type { ControlMessageOf } from './control-messages.js';
import { quote } from './quote.js';

/**
 * The JSON of `connection_established`, put together by hand: with five objects in it, it takes `JSON.stringify`
 * a fiftieth of all that a connect costs, and this a fifth of that. `type` comes last. Undefined when a number is
 * none that JSON has.
 */
export function encodeEstablished(message: ControlMessageOf<'connection_established'>): string | undefined {
  const { connectionId, userId, serverTimeMs, stream, resume, limits, reconnect } = message;
  const { heartbeatIntervalMs, tokenExpiresAtMs } = message;
  const { epoch, first, head, headId } = stream;
  const { mode, from, reason } = resume;
  const { maxMessageBytes, maxCommandsPerMinute } = limits;
  const { minDelayMs, maxDelayMs, windowMs } = reconnect;
  // One that is not finite makes the sum so, too.
  const sum = serverTimeMs + first + head + from + maxMessageBytes + maxCommandsPerMinute;
  if (!Number.isFinite(sum + heartbeatIntervalMs + tokenExpiresAtMs + minDelayMs + maxDelayMs + windowMs)) {
    return undefined;
  }
  const why = reason === undefined ? '' : `,"reason":${quote(reason)}`;
  return (
    `{"connectionId":${quote(connectionId)},"userId":${quote(userId)},"serverTimeMs":${serverTimeMs},` +
    `"stream":{"epoch":${quote(epoch)},"first":${first},"head":${head},` +
    `"headId":${headId === null ? 'null' : quote(headId)}},` +
    `"resume":{"mode":${quote(mode)},"from":${from}${why}},` +
    `"limits":{"maxMessageBytes":${maxMessageBytes},"maxCommandsPerMinute":${maxCommandsPerMinute}},` +
    `"heartbeatIntervalMs":${heartbeatIntervalMs},"tokenExpiresAtMs":${tokenExpiresAtMs},` +
    `"reconnect":{"minDelayMs":${minDelayMs},"maxDelayMs":${maxDelayMs},"windowMs":${windowMs}},` +
    '"type":"connection_established"}'
  );
}
