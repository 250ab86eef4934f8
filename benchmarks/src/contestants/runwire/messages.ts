/** What the small client reads of the messages of a server. */
export type ControlOrEvent =
  | {
      readonly type: 'connection_established';
      readonly stream: { readonly epoch: string; readonly headId: string | null };
      readonly resume: { readonly mode: 'live' | 'replay' | 'reset'; readonly from: number };
    }
  | { readonly type: 'caught_up' | 'reset' | 'heartbeat' | 'error' }
  | {
      readonly type: 'agent_delta';
      readonly seq: number;
      readonly from?: number;
      readonly id: string;
      readonly data: { readonly text: string };
    }
  | {
      readonly type: 'agent_started' | 'agent_completed';
      readonly seq: number;
      readonly from?: number;
      readonly id: string;
    };
