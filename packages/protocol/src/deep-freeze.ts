/** Freezes a table and its rows, and returns it. */
export function deepFreeze<T extends object>(table: T): T {
  for (const row of Object.values(table)) Object.freeze(row);
  return Object.freeze(table);
}
