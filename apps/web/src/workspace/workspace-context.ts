import { createContext, use } from 'react';
import type { Workspace } from './workspace.js';

/** The workspace of the signed-in user. */
export const WorkspaceContext = createContext<Workspace | undefined>(undefined);

/** The workspace around this component. */
export function useWorkspace(): Workspace {
  const workspace = use(WorkspaceContext);
  if (workspace === undefined) throw new Error('There is no workspace around this component.');
  return workspace;
}
