import type { WriteItem } from './write-item.js';

/** How many items one user may have in one group; each is compared with those before it. */
const MAX_ITEMS_OF_USER = 64;

/** Whether an item cannot be in the group, because it depends on others of its user there, or they are many. */
export function mustWait(item: WriteItem, earlier: number, group: readonly WriteItem[]): boolean {
  let ofUser = 0;
  for (let known = group[earlier]; known !== undefined; known = group[known.earlierInGroup]) {
    ofUser += 1;
    if (ofUser >= MAX_ITEMS_OF_USER || item.waitsFor(known)) return true;
  }
  return false;
}
