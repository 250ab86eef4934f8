import type { z } from 'zod';
import type { ServerMessage } from './control-messages.js';
import { ProtocolError } from './errors.js';
import { SERVER_MESSAGE_SCHEMAS } from './schemas/control.js';
import { EVENT_SCHEMAS } from './schemas/events.js';
import { describeIssues } from './schemas/issues.js';

const SCHEMAS: ReadonlyMap<string, z.ZodType<ServerMessage>> = /* @__PURE__ */ new Map<
  string,
  z.ZodType<ServerMessage>
>(Object.entries({ ...SERVER_MESSAGE_SCHEMAS, ...EVENT_SCHEMAS }));

/**
 * Reads one server→client frame, an object or an array of them, and validates every message: for tests and
 * tools. A client in the field is lenient instead: it ignores types and fields it does not know (§2).
 *
 * @throws ProtocolError `INVALID_FRAME`, `UNKNOWN_TYPE`
 */
export function decodeServerFrame(text: string): readonly ServerMessage[] {
  let raw: unknown;
  try {
    raw = JSON.parse(text);
  } catch (cause) {
    throw new ProtocolError('INVALID_FRAME', 'The frame is not valid JSON.', { cause });
  }
  return Array.isArray(raw) ? raw.map(decodeOne) : [decodeOne(raw)];
}

function decodeOne(raw: unknown): ServerMessage {
  const { type }: { type?: unknown } = Object(raw);
  if (typeof type !== 'string') {
    throw new ProtocolError('INVALID_FRAME', 'A message of the frame is no object with a type.');
  }
  const schema = SCHEMAS.get(type);
  if (schema === undefined) {
    throw new ProtocolError('UNKNOWN_TYPE', `There is no server message of type ${JSON.stringify(type)}.`, {
      details: { type },
    });
  }
  const result = schema.safeParse(raw);
  if (result.success) return result.data;
  const issues = describeIssues(result.error.issues);
  throw new ProtocolError(
    'INVALID_FRAME',
    `A message of type "${type}" is invalid: ${JSON.stringify(issues)}`,
    {
      details: { type, issues },
    },
  );
}
