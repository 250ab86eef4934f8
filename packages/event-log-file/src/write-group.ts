import type { WriteItem } from './write-item.js';

/** How many items one user may have in one group; each is compared with those before it. */
const MAX_ITEMS_OF_USER = 64;

/** An item in the group that is written with it. */
export interface Placed {
  readonly item: WriteItem;
  /** Offset in the group. */
  readonly start: number;
  /** Place of the item of the same user before it; -1 for none. */
  readonly earlier: number;
}

/** Whether an item cannot be in the group, because it depends on others of its user there, or they are many. */
export function mustWait(item: WriteItem, earlier: number, group: readonly Placed[]): boolean {
  let ofUser = 0;
  for (let placed = group[earlier]; placed !== undefined; placed = group[placed.earlier]) {
    ofUser += 1;
    if (ofUser >= MAX_ITEMS_OF_USER || item.waitsFor(placed.item)) return true;
  }
  return false;
}
