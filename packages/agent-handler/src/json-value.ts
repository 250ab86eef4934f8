/** A value as JSON has it: what was `undefined` or a function is null. */
export type JsonResult =
  | { readonly ok: true; readonly value: unknown }
  | { readonly ok: false; readonly cause: unknown };

/** Copies a value by way of its JSON, so that what is kept, shown and handed on is one and the same. */
export function toJsonValue(value: unknown): JsonResult {
  try {
    const text: string | undefined = JSON.stringify(value);
    return { ok: true, value: text === undefined ? null : JSON.parse(text) };
  } catch (cause) {
    return { ok: false, cause };
  }
}

/** The JSON of a JSON value with the keys of every object in order: equal values have equal text. */
export function canonicalJson(value: unknown): string {
  return JSON.stringify(value, (_key, part: unknown) => {
    if (typeof part !== 'object' || part === null || Array.isArray(part)) return part;
    const entries = Object.entries(part).sort(([a], [b]) => (a < b ? -1 : 1));
    return Object.fromEntries(entries);
  });
}

const REDACTED = '[redacted]';

/** A copy of a JSON value in which every field of one of `names`, at any depth, is replaced. */
export function redactFields(value: unknown, names: readonly string[]): unknown {
  if (names.length === 0 || typeof value !== 'object' || value === null) return value;
  if (Array.isArray(value)) return value.map((item) => redactFields(item, names));
  const entries = Object.entries(value).map(([key, part]) => [
    key,
    names.includes(key) ? REDACTED : redactFields(part, names),
  ]);
  return Object.fromEntries(entries) as unknown;
}
