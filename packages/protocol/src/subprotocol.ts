/** The WebSocket subprotocol of this version (§2). */
export const SUBPROTOCOL = 'runwire.v1';

/** The subprotocol entry that carries a token is this followed by `base64url(token)` (§2). */
export const BEARER_PREFIX = 'bearer.';
