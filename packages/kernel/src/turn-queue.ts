/** Things to be seen to behind each other, once what is under way has ended. */
export interface TurnQueue<T> {
  add(item: T): void;
  /** Sees to what was added so far, without waiting. */
  serve(): void;
}

/**
 * Sees to what is added when everything that runs just now, up to its first wait, is done, and before the event loop
 * goes on: no later than each alone, but in a row. What is added meanwhile is seen to in the next row.
 *
 * @param serve - must not throw
 */
export function createTurnQueue<T>(serve: (item: T) => void): TurnQueue<T> {
  let items: T[] = [];
  const serveAll = (): void => {
    const served = items;
    items = [];
    for (const item of served) serve(item);
  };
  return {
    add(item) {
      items.push(item);
      if (items.length === 1) queueMicrotask(serveAll);
    },
    serve: serveAll,
  };
}
