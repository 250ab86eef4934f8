import type { z } from 'zod';
import { createErrorBody } from './builders.js';
import type { ClientMessage } from './client-messages.js';
import type { ErrorBody } from './contract.js';
import { exceedsBytes, exceedsDepth } from './json-scan.js';
import { LIMITS } from './limits.js';
import { CLIENT_MESSAGE_SCHEMAS } from './schemas/client.js';
import { describeIssues, type MessageIssue } from './schemas/issues.js';

/** The limits that a message is decoded within. */
export interface DecodeLimits {
  /** `LIMITS.maxMessageBytes` unless given. */
  readonly maxMessageBytes?: number;
  /** `LIMITS.maxJsonDepth` unless given. */
  readonly maxJsonDepth?: number;
}

/** A client's message, or what to answer it with. */
export type DecodedClientMessage =
  | { readonly ok: true; readonly message: ClientMessage }
  | {
      readonly ok: false;
      readonly error: ErrorBody;
      /** The message's id if it is usable: the answer is `command_rejected`. Without it, `error`. */
      readonly ref?: string;
    };

const SCHEMAS: ReadonlyMap<string, z.ZodType<ClientMessage>> = /* @__PURE__ */ new Map(
  Object.entries(CLIENT_MESSAGE_SCHEMAS),
);

const USABLE_ID = /^[A-Za-z0-9_-]{1,64}$/;

/**
 * Reads one client→server frame (§5, bad input). Never throws and never returns more than the protocol
 * names: unknown fields, a `userId` among them, are stripped. The alias `chat` becomes `user_message`; blank
 * content is the handler's to refuse.
 */
export function decodeClientMessage(text: string, limits: DecodeLimits = {}): DecodedClientMessage {
  const { maxMessageBytes = LIMITS.maxMessageBytes, maxJsonDepth = LIMITS.maxJsonDepth } = limits;
  if (exceedsBytes(text, maxMessageBytes)) {
    return { ok: false, error: createErrorBody('MESSAGE_TOO_LARGE', { details: { maxMessageBytes } }) };
  }
  if (exceedsDepth(text, maxJsonDepth)) {
    const issues = [{ path: '', message: `nested deeper than ${maxJsonDepth}` }];
    return { ok: false, error: createErrorBody('INVALID_MESSAGE', { details: { issues, maxJsonDepth } }) };
  }
  let raw: unknown;
  try {
    raw = JSON.parse(text);
  } catch {
    return { ok: false, error: createErrorBody('INVALID_JSON') };
  }
  if (typeof raw !== 'object' || raw === null || Array.isArray(raw)) {
    return invalid([{ path: '', message: 'expected an object' }]);
  }
  return decodeObject(raw);
}

function decodeObject(raw: object): DecodedClientMessage {
  const { type, id }: { type?: unknown; id?: unknown } = raw;
  const ref = typeof id === 'string' && USABLE_ID.test(id) ? id : undefined;
  if (typeof type !== 'string') return invalid([{ path: 'type', message: 'expected a string' }], ref);
  const frequent = decodeFrequent(type, raw);
  if (frequent !== undefined) return { ok: true, message: frequent };
  const alias = type === 'chat';
  const schema = SCHEMAS.get(alias ? 'user_message' : type);
  if (schema === undefined) {
    return refusal(createErrorBody('UNKNOWN_MESSAGE_TYPE', { details: { type: type.slice(0, 64) } }), ref);
  }
  const result = schema.safeParse(alias ? { ...raw, type: 'user_message' } : raw);
  if (!result.success) return invalid(describeIssues(result.error.issues), ref);
  return { ok: true, message: result.data };
}

/** What most frames are, without the schema's cost; anything unusual about them is left to the schema. */
function decodeFrequent(type: string, raw: { seq?: unknown; n?: unknown }): ClientMessage | undefined {
  if (type === 'ack') return isCount(raw.seq) ? { type, seq: raw.seq } : undefined;
  if (type !== 'ping') return undefined;
  if (!Object.hasOwn(raw, 'n')) return { type };
  return typeof raw.n === 'number' && Number.isFinite(raw.n) ? { type, n: raw.n } : undefined;
}

function isCount(value: unknown): value is number {
  return typeof value === 'number' && Number.isSafeInteger(value) && value >= 0;
}

function invalid(issues: readonly MessageIssue[], ref?: string): DecodedClientMessage {
  return refusal(createErrorBody('INVALID_MESSAGE', { details: { issues } }), ref);
}

function refusal(error: ErrorBody, ref: string | undefined): DecodedClientMessage {
  return ref === undefined ? { ok: false, error } : { ok: false, error, ref };
}
