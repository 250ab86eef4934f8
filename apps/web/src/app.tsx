import { useEffect, useState } from 'react';
import type { SessionStore } from './session/session-store.js';
import { SignInPage } from './session/sign-in-page.js';
import { useStore } from './state/value-store.js';
import { createWorkspace, type Workspace } from './workspace/workspace.js';
import { WorkspaceContext } from './workspace/workspace-context.js';
import { WorkspacePage } from './workspace/workspace-page.js';

/** The sign-in page, or the workspace of who is signed in. */
export function App({ sessions }: { readonly sessions: SessionStore }) {
  const session = useStore(sessions);
  if (session === null) return <SignInPage sessions={sessions} />;
  const { user, signedInAtMs } = session;
  return <SignedIn key={`${user.id} ${signedInAtMs}`} sessions={sessions} userName={user.name} />;
}

/** One sign-in: its connection lives as long as this component. */
function SignedIn({ sessions, userName }: { readonly sessions: SessionStore; readonly userName: string }) {
  const [workspace, setWorkspace] = useState<Workspace>();
  useEffect(() => {
    const created = createWorkspace(sessions);
    setWorkspace(created);
    return () => created.close();
  }, [sessions]);
  if (workspace === undefined) return null;
  return (
    <WorkspaceContext value={workspace}>
      <WorkspacePage userName={userName} />
    </WorkspaceContext>
  );
}
