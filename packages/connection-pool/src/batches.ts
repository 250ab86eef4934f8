import type { Clock } from '@runwire/kernel';

/**
 * Calls `act` for each item, at most `perTurn` of them in one turn, so that ten thousand sockets do not stop
 * everything else.
 */
export async function inBatches<T>(
  clock: Clock,
  batch: { readonly items: readonly T[]; readonly perTurn: number },
  act: (item: T, index: number) => void,
): Promise<void> {
  const { items, perTurn } = batch;
  for (let from = 0; from < items.length; from += perTurn) {
    if (from > 0) await new Promise<void>((resolve) => clock.nextTurn(resolve));
    items.slice(from, from + perTurn).forEach((item, offset) => {
      act(item, from + offset);
    });
  }
}
