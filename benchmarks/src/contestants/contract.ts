/** A user of a run: the same ones for every contestant. */
export interface BenchUser {
  readonly id: string;
  /** A JSON Web Token (HS256) that every contestant verifies. */
  readonly token: string;
}

/** What a contestant's server is started with. */
export interface ServerOptions {
  readonly users: readonly BenchUser[];
  /** Of the tokens. */
  readonly secret: string;
  /** A folder of this run alone, removed after it. */
  readonly directory: string;
}

/** A contestant's server, in its own process. */
export interface ContestantServer {
  readonly port: number;
  /** Where the contestant knows nobody but users of its own: their tokens, in the order of the run's users. */
  readonly tokens?: readonly string[];
  /** Makes ready to emit to `count` users from `first` on; before anything is measured. */
  prepare(first: number, count: number): Promise<void>;
  /**
   * Emits one event to every connection of one user. `text` goes through as it is. What is returned settles when
   * the contestant can take more; `undefined` when it never asks anybody to wait.
   */
  emit(user: number, text: string): Promise<void> | undefined;
  /** Ends what `prepare` began; settles when everything emitted is where it is kept. */
  finish(): Promise<void>;
  /** Counts worth showing, by name. */
  stats(): Readonly<Record<string, number>>;
  close(): Promise<void>;
}

/** The server half of a contestant. */
export interface ServerContestant {
  start(options: ServerOptions): Promise<ContestantServer>;
}

/** How one connection is opened. */
export interface ConnectionRequest {
  readonly port: number;
  readonly token: string;
  /** Called with the text of each event, in the order of arrival. */
  readonly receive: (text: string) => void;
}

/** One connection of a contestant's client. */
export interface ContestantConnection {
  /** Cuts the connection without a word, as a network does. */
  cut(): void;
  /** Comes back after `cut`, from behind the last event received. Settles when the connection is open. */
  resume(): Promise<void>;
  /** Events that were there twice, or not in their place, by the contestant's own count. */
  readonly protocolFaults: number;
  close(): void;
}

/** The client half of a contestant. */
export interface ClientContestant {
  /** Opens one connection, authenticated; settles when it would receive events. */
  connect(request: ConnectionRequest): Promise<ContestantConnection>;
}
