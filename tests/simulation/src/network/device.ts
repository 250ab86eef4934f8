import type { Connection } from './connection.js';
import type { PathConditions } from './pipe.js';

/** How a device is connected to everything else. `away`: nothing comes back, and nobody says so. */
export type Reach = 'up' | 'refused' | 'away';

/** What does not change about a device. */
export interface DeviceOptions {
  readonly name: string;
  readonly remoteAddress: string;
  readonly conditions: PathConditions;
  /** A page hears of messages in tasks of their own and cannot end a dead socket at once; `ws` can. */
  readonly isPage: boolean;
  /** What its network does to WebSockets: some refuse them, some let nothing come back. */
  readonly webSockets: 'pass' | 'refused' | 'hang';
}

/** A user's device, for as long as the seed lasts; its pages come and go. */
export class Device {
  readonly options: DeviceOptions;
  /** May change at any time. */
  readonly conditions: PathConditions;
  readonly connections = new Set<Connection>();
  reach: Reach = 'up';
  isReading = true;

  constructor(options: DeviceOptions) {
    this.options = options;
    this.conditions = { ...options.conditions };
  }

  /** The connections of processes that are alive. */
  get live(): readonly Connection[] {
    return [...this.connections].filter((connection) => connection.isAccepted && !connection.isOver);
  }
}
