import type { ThreadSummary } from '../api/server-api.js';
import { followInPlace, threadPath } from '../routing/location.js';
import { IconButton } from '../ui/icon-button.js';
import { formatRelativeTime } from '../ui/relative-time.js';

/** One thread of the list. */
export function ThreadItem(props: {
  readonly thread: ThreadSummary;
  readonly isOpen: boolean;
  readonly isRunning: boolean;
  readonly nowMs: number;
  readonly onOpen: () => void;
  readonly onRename: () => void;
  readonly onDelete: () => void;
}) {
  const { thread, isOpen, isRunning, nowMs, onOpen, onRename, onDelete } = props;
  return (
    <li className="thread" data-testid="thread" data-thread-id={thread.id} data-running={isRunning}>
      <a
        className="thread-link"
        href={threadPath(thread.id)}
        aria-current={isOpen ? 'page' : undefined}
        onClick={(event) => {
          if (followInPlace(event)) onOpen();
        }}
      >
        <span className="thread-title">{thread.title}</span>
        <span className="thread-meta">
          {isRunning ? (
            <>
              <span className="pulse" aria-hidden="true" /> answering
            </>
          ) : (
            <time dateTime={new Date(thread.updatedAtMs).toISOString()}>
              {formatRelativeTime(thread.updatedAtMs, nowMs)}
            </time>
          )}
        </span>
      </a>
      <span className="thread-actions">
        <IconButton icon="pencil" label={`Rename ${thread.title}`} onClick={onRename} />
        <IconButton icon="trash" label={`Delete ${thread.title}`} onClick={onDelete} />
      </span>
    </li>
  );
}
