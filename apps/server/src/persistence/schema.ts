import type { Generated } from 'kysely';

/** The tables, as every dialect has them. Instants are epoch milliseconds, JSON is text. */
export interface Schema {
  users: UsersTable;
  auth_sessions: AuthSessionsTable;
  refresh_tokens: RefreshTokensTable;
  threads: ThreadsTable;
  messages: MessagesTable;
  runs: RunsTable;
  commands: CommandsTable;
  outbox: OutboxTable;
  large_values: LargeValuesTable;
}

interface UsersTable {
  id: string;
  /** Lower case. */
  email: string;
  name: string;
  password_hash: string;
  created_at_ms: number;
}

interface AuthSessionsTable {
  id: string;
  user_id: string;
  created_at_ms: number;
  expires_at_ms: number;
  revoked_at_ms: number | null;
}

interface RefreshTokensTable {
  /** SHA-256 of the token, hex: the token itself is never stored. */
  hash: string;
  session_id: string;
  issued_at_ms: number;
  rotated_at_ms: number | null;
}

interface ThreadsTable {
  id: string;
  user_id: string;
  title: string;
  created_at_ms: number;
  updated_at_ms: number;
  /** Set while a deletion is under way: the thread is gone for everybody but the deletion. */
  deleting_at_ms: number | null;
}

interface MessagesTable {
  /** Insertion order: the order of the conversation. */
  position: Generated<number>;
  id: string;
  thread_id: string;
  user_id: string;
  run_id: string;
  role: 'user' | 'assistant';
  parts: string;
  metadata: string | null;
  created_at_ms: number;
}

interface RunsTable {
  id: string;
  thread_id: string;
  user_id: string;
  agent: string;
  message_id: string;
  answer_id: string;
  attempt: number;
  status: 'accepted' | 'running' | 'completed' | 'failed' | 'cancelled' | 'timed_out' | 'interrupted';
  error: string | null;
  accepted_at_ms: number;
  started_at_ms: number | null;
  ended_at_ms: number | null;
  /** The log that the positions are of. */
  log_epoch: string | null;
  /** `seq` of the run's message in its user's stream. */
  first_seq: number | null;
  /** `seq` of its end. */
  last_seq: number | null;
}

interface CommandsTable {
  user_id: string;
  command_id: string;
  body_hash: string;
  reply: string;
  created_at_ms: number;
}

interface OutboxTable {
  position: Generated<number>;
  user_id: string;
  producer_id: string;
  attempt: number;
  n: number;
  drafts: string;
  created_at_ms: number;
}

interface LargeValuesTable {
  run_id: string;
  /** The tool call whose output it is; empty for the run's result. */
  tool_call_id: string;
  user_id: string;
  content: string;
  created_at_ms: number;
}
