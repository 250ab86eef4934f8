import { z } from 'zod';
import { CLIENT_MESSAGE_SCHEMAS } from './client.js';
import { SERVER_MESSAGE_SCHEMAS } from './control.js';
import { EVENT_SCHEMAS } from './events.js';

/** A JSON Schema (draft 2020-12) as plain data. */
export type JsonSchema = Readonly<Record<string, unknown>>;

/** The JSON Schema of every message, by type. */
export interface MessageJsonSchemas {
  /** Client → server. */
  readonly client: Readonly<Record<string, JsonSchema>>;
  /** Server → client, not in the log. */
  readonly control: Readonly<Record<string, JsonSchema>>;
  /** Server → client, in the log. */
  readonly event: Readonly<Record<string, JsonSchema>>;
}

/**
 * The JSON Schema of every message: the baseline that a release keeps, and what clients in other languages
 * can generate from.
 */
export function messageJsonSchemas(): MessageJsonSchemas {
  return {
    client: convert(CLIENT_MESSAGE_SCHEMAS),
    control: convert(SERVER_MESSAGE_SCHEMAS),
    event: convert(EVENT_SCHEMAS),
  };
}

function convert(schemas: Readonly<Record<string, z.ZodType>>): Record<string, JsonSchema> {
  // What is sent may have fields that the schema does not name, so the input side is the contract.
  return Object.fromEntries(
    Object.entries(schemas).map(([type, schema]) => [type, { ...z.toJSONSchema(schema, { io: 'input' }) }]),
  );
}
