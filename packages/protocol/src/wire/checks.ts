/** True for a value that is as it should be. */
export type Check = (value: unknown) => boolean;

/** The checks of an object's fields; a name that ends in `?` may be absent. Other fields are let through. */
export type Shape = Readonly<Record<string, Check>>;

export const isText: Check = (value) => typeof value === 'string';
export const isFlag: Check = (value) => typeof value === 'boolean';
export const isPresent: Check = (value) => value !== undefined;
export const isRecord: Check = (value) =>
  typeof value === 'object' && value !== null && !Array.isArray(value);

/** A number of at least `min`. JSON can write infinity, as 1e999. */
export function isNumber(min: number, max = Number.MAX_VALUE): Check {
  return (value) => typeof value === 'number' && value >= min && value <= max;
}

/** An integer of at least `min`. */
export function isInteger(min: number): Check {
  return (value) => Number.isSafeInteger(value) && Number(value) >= min;
}

/** A text that matches all of `pattern`. */
export function isLike(pattern: RegExp): Check {
  return (value) => typeof value === 'string' && pattern.test(value);
}

/** One of these texts, given with a space between them. */
export function isOneOf(texts: string): Check {
  const known: readonly unknown[] = texts.split(' ');
  return (value) => known.includes(value);
}

/** What `check` takes, or null. */
export function orNull(check: Check): Check {
  return (value) => value === null || check(value);
}

/** An object with these fields. */
export function isShaped(shape: Shape): Check {
  const fields = Object.entries(shape);
  return (value) => {
    if (!isRecord(value)) return false;
    const record = value as Readonly<Record<string, unknown>>;
    return fields.every(([name, check]) => {
      const field = record[name.replace('?', '')];
      return field === undefined ? name.endsWith('?') || check(field) : check(field);
    });
  };
}
