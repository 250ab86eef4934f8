import { StrictMode } from 'react';
import { createRoot } from 'react-dom/client';
import { App } from './app.js';
import { createSessionStore } from './session/session-store.js';
import { applyTheme } from './theme/theme.js';
import './styles/tokens.css';
import './styles/base.css';
import './styles/controls.css';
import './styles/dialog.css';
import './styles/sign-in.css';
import './styles/layout.css';
import './styles/sidebar.css';
import './styles/conversation.css';
import './styles/answer.css';
import './styles/tool.css';
import './styles/markdown.css';
import './styles/composer.css';

applyTheme();
const root = document.getElementById('root');
if (root !== null) {
  createRoot(root).render(
    <StrictMode>
      <App sessions={createSessionStore()} />
    </StrictMode>,
  );
}
