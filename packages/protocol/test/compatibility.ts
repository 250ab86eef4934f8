import type { JsonSchema, MessageJsonSchemas } from '../src/index.js';

/**
 * What a release that is out there could no longer do, one line each; empty when nothing breaks.
 *
 * Client → server: whatever a released client may send, the current server must accept. Server → client:
 * whatever the current server may send, a released client must accept. Both are one question, whether every
 * value of one schema is a value of the other, asked in opposite directions. New message types and new
 * optional fields are no break: servers drop unknown fields, clients skip unknown types and fields.
 */
export function breakingChanges(
  released: MessageJsonSchemas,
  current: MessageJsonSchemas,
): readonly string[] {
  const breaks: string[] = [];
  for (const group of ['client', 'control', 'event'] as const) {
    for (const [type, before] of Object.entries(released[group])) {
      const now = current[group][type];
      if (now === undefined) breaks.push(`${group}.${type}: the message type is gone`);
      else if (group === 'client') breaks.push(...notAccepted(before, now, `client.${type}`));
      else breaks.push(...notAccepted(now, before, `${group}.${type}`));
    }
  }
  return breaks;
}

/** Why some value of `sent` is no value of `taken`. */
function notAccepted(sent: JsonSchema, taken: JsonSchema, path: string): readonly string[] {
  const senders = alternatives(sent);
  const takers = alternatives(taken);
  const [onlyTaker] = takers;
  if (takers.length === 1 && onlyTaker !== undefined) {
    return senders.flatMap((sender) => mismatch(sender, onlyTaker, path));
  }
  return senders.every((sender) => takers.some((taker) => mismatch(sender, taker, path).length === 0))
    ? []
    : [`${path}: a variant is not accepted`];
}

function alternatives(schema: JsonSchema): readonly JsonSchema[] {
  const list = schema['anyOf'] ?? schema['oneOf'];
  return Array.isArray(list) ? (list as JsonSchema[]).flatMap(alternatives) : [schema];
}

const UNDERSTOOD = new Set(
  `$schema type const enum default minLength maxLength pattern format minimum maximum exclusiveMinimum
  exclusiveMaximum items properties required additionalProperties propertyNames`.split(/\s+/),
);

function mismatch(sent: JsonSchema, taken: JsonSchema, path: string): readonly string[] {
  const foreign = Object.keys({ ...sent, ...taken }).filter((key) => !UNDERSTOOD.has(key));
  if (foreign.length > 0) return [`${path}: cannot compare ${foreign.join(', ')}`];
  return [
    ...typeMismatch(sent, taken, path),
    ...valueMismatch(sent, taken, path),
    ...boundMismatch(sent, taken, path),
    ...fieldMismatch(sent, taken, path),
    ...nestedMismatch(sent, taken, path),
  ];
}

function typeMismatch(sent: JsonSchema, taken: JsonSchema, path: string): readonly string[] {
  const from = typeName(sent);
  const to = typeName(taken);
  if (to === 'any' || from === to || (from === 'integer' && to === 'number')) return [];
  return [`${path}: the type is ${from} instead of ${to}`];
}

function typeName(schema: JsonSchema): string {
  const [first] = values(schema) ?? [];
  const implied = first === undefined ? 'any' : jsonTypeOf(JSON.parse(first));
  const type = schema['type'] ?? implied;
  return typeof type === 'string' ? type : JSON.stringify(type);
}

function jsonTypeOf(value: unknown): string {
  if (value === null) return 'null';
  return Array.isArray(value) ? 'array' : typeof value;
}

function valueMismatch(sent: JsonSchema, taken: JsonSchema, path: string): readonly string[] {
  const to = values(taken);
  if (to === undefined) return [];
  const from = values(sent);
  if (from === undefined) return [`${path}: any value is possible instead of ${to.join(', ')}`];
  return from
    .filter((value) => !to.includes(value))
    .map((value) => `${path}: the value ${value} is not accepted`);
}

function values(schema: JsonSchema): readonly string[] | undefined {
  if ('const' in schema) return [JSON.stringify(schema['const'])];
  const list = schema['enum'];
  return Array.isArray(list) ? list.map((value) => JSON.stringify(value)) : undefined;
}

const LOWER_BOUNDS = ['minLength', 'minimum', 'exclusiveMinimum'];
const UPPER_BOUNDS = ['maxLength', 'maximum', 'exclusiveMaximum'];

function boundMismatch(sent: JsonSchema, taken: JsonSchema, path: string): readonly string[] {
  // A closed list of values says more than any bound.
  if (values(sent) !== undefined) return [];
  const bound = (schema: JsonSchema, key: string, none: number) => Number(schema[key] ?? none);
  const breaks = [
    ...LOWER_BOUNDS.filter((key) => bound(sent, key, -Infinity) < bound(taken, key, -Infinity)),
    ...UPPER_BOUNDS.filter((key) => bound(sent, key, Infinity) > bound(taken, key, Infinity)),
    ...['pattern', 'format'].filter((key) => taken[key] !== undefined && taken[key] !== sent[key]),
  ];
  return breaks.map((key) => `${path}: ${key} is not kept`);
}

function fieldMismatch(sent: JsonSchema, taken: JsonSchema, path: string): readonly string[] {
  const always = fieldNames(sent['required']);
  const missing = fieldNames(taken['required']).filter((field) => !always.includes(field));
  return missing.map((field) => `${path}.${field}: the field is required there and not always sent`);
}

function fieldNames(list: unknown): readonly string[] {
  return Array.isArray(list) ? list.map(String) : [];
}

function nestedMismatch(sent: JsonSchema, taken: JsonSchema, path: string): readonly string[] {
  const fields = asSchema(taken['properties']);
  const breaks = Object.entries(asSchema(sent['properties'])).flatMap(([field, schema]) =>
    field in fields ? notAccepted(asSchema(schema), asSchema(fields[field]), `${path}.${field}`) : [],
  );
  for (const key of ['items', 'additionalProperties', 'propertyNames']) {
    if (taken[key] !== undefined) {
      breaks.push(...notAccepted(asSchema(sent[key]), asSchema(taken[key]), `${path}.${key}`));
    }
  }
  return breaks;
}

function asSchema(value: unknown): JsonSchema {
  return typeof value === 'object' && value !== null ? (value as JsonSchema) : {};
}
