/** The event that contestants without an envelope of their own put on the wire: 120 to 250 bytes of JSON. */
export interface DeltaEvent {
  readonly type: 'agent_delta';
  readonly threadId: string;
  readonly runId: string;
  readonly seq: number;
  /** Epoch milliseconds. */
  readonly at: number;
  readonly data: { readonly text: string };
}

const THREAD_ID = 'thr_0mwqdw3c3d39tnern00000';
const RUN_ID = 'run_0mwqdw3c3d39tnern00002';

/** Makes the next event of a user. */
export function deltaEvent(seq: number, text: string): DeltaEvent {
  return { type: 'agent_delta', threadId: THREAD_ID, runId: RUN_ID, seq, at: Date.now(), data: { text } };
}

/** The text of an event as it came over the wire. */
export function deltaText(json: string): string {
  const event: DeltaEvent = JSON.parse(json);
  return event.data.text;
}
