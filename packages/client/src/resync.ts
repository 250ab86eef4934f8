import type { Clock } from '@runwire/kernel';
import { CLIENT_LIMITS, type ClientMessageOf, type Cursor, type ErrorBody } from '@runwire/protocol/wire';

/** Asks one connection to send again what is missing: one question at a time (protocol §6). */
export interface Resync {
  /** Something behind `cursor` is missing. Sends, unless a question is open. */
  request(cursor: Cursor): void;
  /** True if the message with this `ref` answers the open question. */
  answered(ref: string | undefined): boolean;
  /** True if the open question was refused; it is asked again no sooner than the refusal says. */
  refused(ref: string | null | undefined, error: Pick<ErrorBody, 'retryAfterMs'>): boolean;
}

/** What a resync needs of its connection. */
export interface ResyncDeps {
  readonly clock: Clock;
  readonly newId: () => string;
  readonly send: (message: ClientMessageOf<'resync'>) => void;
  /** The same gap is still there after {@link MAX_FRUITLESS} answers. */
  readonly giveUp: () => void;
}

/** Answers that may leave a gap as it was. */
const MAX_FRUITLESS = 3;

/** Creates the resync of one connection. */
export function createResync(deps: ResyncDeps): Resync {
  let open: { id: string; untilMs: number } | undefined;
  let askedSeq = -1;
  let fruitless = 0;

  const isOpen = (ref: string | null | undefined): boolean => open !== undefined && ref === open.id;

  return {
    request({ epoch, seq, id: eventId }) {
      const nowMs = deps.clock.monotonicMs();
      if (open !== undefined && nowMs < open.untilMs) return;
      fruitless = seq === askedSeq ? fruitless : 0;
      if (fruitless >= MAX_FRUITLESS) {
        fruitless = 0;
        deps.giveUp();
        return;
      }
      askedSeq = seq;
      const id = deps.newId();
      open = { id, untilMs: nowMs + CLIENT_LIMITS.resyncTimeoutMs };
      deps.send({ type: 'resync', id, epoch, seq, ...(eventId === undefined ? {} : { eventId }) });
    },
    answered(ref) {
      if (!isOpen(ref)) return false;
      open = undefined;
      fruitless += 1;
      return true;
    },
    refused(ref, { retryAfterMs }) {
      if (!isOpen(ref)) return false;
      open = { id: '', untilMs: deps.clock.monotonicMs() + (retryAfterMs ?? CLIENT_LIMITS.resyncTimeoutMs) };
      return true;
    },
  };
}
