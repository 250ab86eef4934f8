import type { Cursor } from '@runwire/protocol/wire';

/** What goes to all tabs that may share a connection. */
export type LobbyMessage =
  /** A tab wants to follow from its cursor on, or (null) from now on; answers come on the channel `link`. */
  | { readonly kind: 'join'; readonly link: string; readonly cursor: Cursor | null }
  /** That tab does not want to any more. */
  | { readonly kind: 'gone'; readonly link: string }
  /** This tab leads, and stands at its cursor (null: it is not connected). */
  | { readonly kind: 'leader'; readonly leader: string; readonly cursor: Cursor | null };

/** What a leader tells a tab that follows it. */
export type ToFollower =
  /** Soon. */
  | { readonly kind: 'wait' }
  /** Connect by yourself. */
  | { readonly kind: 'refused' }
  | { readonly kind: 'frame'; readonly leader: string; readonly data: string }
  | { readonly kind: 'closed'; readonly code: number; readonly reason: string };

/** What a tab tells the leader that it follows. */
export type ToLeader =
  | { readonly kind: 'send'; readonly data: string }
  /** `dead`: because nothing came any more. */
  | { readonly kind: 'left'; readonly dead: boolean };
