import { useState } from 'react';
import { ConnectionIndicator } from '../connection/connection-indicator.js';
import { ConversationPage } from '../conversation/conversation-page.js';
import { NewChat } from '../conversation/new-chat.js';
import { useRoute } from '../routing/location.js';
import { useStore } from '../state/value-store.js';
import { Sidebar } from '../threads/sidebar.js';
import { find } from '../threads/thread-list-state.js';
import { IconButton } from '../ui/icon-button.js';
import { useWorkspace } from './workspace-context.js';

/** The sidebar and the open thread. */
export function WorkspacePage({ userName }: { readonly userName: string }) {
  const route = useRoute();
  const [drawer, setDrawer] = useState(false);
  const { threads } = useWorkspace();
  const list = useStore(threads.state);
  const threadId = route.kind === 'thread' ? route.threadId : undefined;
  const title = threadId === undefined ? 'New chat' : (find(list, threadId)?.title ?? 'Chat');
  return (
    <div className="workspace" data-drawer={drawer ? 'open' : 'closed'}>
      <title>{`${title} · Runwire`}</title>
      <a className="skip-link" href="#message">
        Skip to the message field
      </a>
      <Sidebar
        userName={userName}
        threadId={threadId}
        isDrawerOpen={drawer}
        onClose={() => setDrawer(false)}
      />
      <div className="main" inert={drawer}>
        <header className="topbar">
          <IconButton
            icon="menu"
            label="Open chats"
            className="drawer-toggle"
            aria-expanded={drawer}
            onClick={() => setDrawer(true)}
          />
          <h1 className="topbar-title">{title}</h1>
          <ConnectionIndicator />
        </header>
        {threadId === undefined ? <NewChat /> : <ConversationPage key={threadId} threadId={threadId} />}
      </div>
    </div>
  );
}
