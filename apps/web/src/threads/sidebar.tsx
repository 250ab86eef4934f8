import { useEffect, useRef, useState } from 'react';
import { describeFailure } from '../api/api-error.js';
import type { ThreadSummary } from '../api/server-api.js';
import { followInPlace, navigate } from '../routing/location.js';
import { useNow } from '../state/use-now.js';
import { useStore } from '../state/value-store.js';
import { ThemeToggle } from '../theme/theme-toggle.js';
import { Icon } from '../ui/icon.js';
import { IconButton } from '../ui/icon-button.js';
import { useWorkspace } from '../workspace/workspace-context.js';
import { DeleteDialog, RenameDialog } from './thread-dialogs.js';
import { ThreadItem } from './thread-item.js';

type Asking = { readonly kind: 'rename' | 'delete'; readonly thread: ThreadSummary };

const CLOCK_MS = 30_000;

/** The list of threads; on narrow screens a drawer. */
export function Sidebar(props: {
  readonly userName: string;
  readonly threadId: string | undefined;
  readonly isDrawerOpen: boolean;
  readonly onClose: () => void;
}) {
  const { userName, threadId, isDrawerOpen, onClose } = props;
  const [asking, setAsking] = useState<Asking>();
  const sidebar = useRef<HTMLElement>(null);
  useEffect(() => {
    if (!isDrawerOpen) return;
    const opener = document.querySelector<HTMLElement>('.drawer-toggle');
    const drawer = sidebar.current;
    drawer?.querySelector<HTMLElement>('a, button')?.focus();
    return () => {
      // Unless what was opened has taken the focus.
      if (drawer?.contains(document.activeElement) === true) opener?.focus();
    };
  }, [isDrawerOpen]);
  return (
    <>
      <nav
        ref={sidebar}
        className="sidebar"
        aria-label="Chats"
        onKeyDown={(event) => {
          if (event.key === 'Escape' && isDrawerOpen) onClose();
        }}
      >
        <div className="sidebar-head">
          <a
            className="button new-chat"
            href="/"
            onClick={(event) => {
              if (followInPlace(event)) onClose();
            }}
          >
            <Icon name="plus" />
            New chat
          </a>
          <IconButton icon="close" label="Close chats" className="drawer-close" onClick={onClose} />
        </div>
        <ThreadEntries threadId={threadId} onAsk={setAsking} onOpen={onClose} />
        <AccountBar userName={userName} />
      </nav>
      {isDrawerOpen && <div className="backdrop" aria-hidden="true" onPointerDown={onClose} />}
      {asking?.kind === 'rename' && (
        <RenameDialog thread={asking.thread} onDone={() => setAsking(undefined)} />
      )}
      {asking?.kind === 'delete' && (
        <DeleteDialog
          thread={asking.thread}
          onDone={(deleted) => {
            setAsking(undefined);
            if (deleted && asking.thread.id === threadId) navigate('/', 'replace');
          }}
        />
      )}
    </>
  );
}

function ThreadEntries(props: {
  readonly threadId: string | undefined;
  readonly onAsk: (asking: Asking) => void;
  readonly onOpen: () => void;
}) {
  const { threads } = useWorkspace();
  const { kind, items, before, running } = useStore(threads.state);
  const nowMs = useNow(CLOCK_MS);
  return (
    <div className="thread-scroller">
      {items.length > 0 && (
        <ul className="thread-list">
          {items.map((thread) => (
            <ThreadItem
              key={thread.id}
              thread={thread}
              isOpen={thread.id === props.threadId}
              isRunning={running.has(thread.id)}
              nowMs={nowMs}
              onOpen={props.onOpen}
              onRename={() => props.onAsk({ kind: 'rename', thread })}
              onDelete={() => props.onAsk({ kind: 'delete', thread })}
            />
          ))}
        </ul>
      )}
      {kind === 'loading' && <p className="sidebar-note">Loading chats…</p>}
      {kind === 'ready' && items.length === 0 && (
        <p className="sidebar-note">Your chats will be listed here.</p>
      )}
      {kind === 'failed' && (
        <p className="sidebar-note">
          Your chats could not be loaded.{' '}
          <button type="button" className="link-button" onClick={() => void threads.reload()}>
            Try again
          </button>
        </p>
      )}
      {before !== null && <LoadMore />}
    </div>
  );
}

function LoadMore() {
  const { threads } = useWorkspace();
  const [busy, setBusy] = useState(false);
  const [problem, setProblem] = useState<string>();
  const load = async (): Promise<void> => {
    setBusy(true);
    setProblem(undefined);
    try {
      await threads.loadMore();
    } catch (cause) {
      setProblem(describeFailure(cause));
    } finally {
      setBusy(false);
    }
  };
  return (
    <div className="load-more">
      {problem !== undefined && <p className="field-problem">{problem}</p>}
      <button type="button" className="button quiet" disabled={busy} onClick={() => void load()}>
        {busy ? 'Loading…' : 'Load more'}
      </button>
    </div>
  );
}

function AccountBar({ userName }: { readonly userName: string }) {
  const workspace = useWorkspace();
  const [busy, setBusy] = useState(false);
  const signOut = (): void => {
    setBusy(true);
    void workspace.signOut();
  };
  return (
    <div className="account-bar">
      <span className="account-name" title={userName}>
        {userName}
      </span>
      <ThemeToggle />
      <IconButton icon="exit" label="Sign out" disabled={busy} onClick={signOut} />
    </div>
  );
}
