import { useState } from 'react';
import { useStore } from '../state/value-store.js';
import { ThemeToggle } from '../theme/theme-toggle.js';
import type { SessionStore } from './session-store.js';
import { SignInForm, type SignInMode } from './sign-in-form.js';

/** Where somebody signs in or makes an account. */
export function SignInPage({ sessions }: { readonly sessions: SessionStore }) {
  const [mode, setMode] = useState<SignInMode>('sign-in');
  const [email, setEmail] = useState('');
  const notice = useStore(sessions.notice);
  return (
    <div className="sign-in-page">
      <title>{mode === 'sign-in' ? 'Sign in · Runwire' : 'Create account · Runwire'}</title>
      <div className="sign-in-theme">
        <ThemeToggle />
      </div>
      <main className="sign-in-card">
        <img src="/favicon.svg" alt="" width="44" height="44" />
        <h1>{mode === 'sign-in' ? 'Welcome back' : 'Create your account'}</h1>
        <p className="muted">
          {mode === 'sign-in'
            ? 'Sign in to go on with your chats.'
            : 'All it takes is an e-mail address and a password.'}
        </p>
        {notice !== null && (
          <p className="notice" role="status">
            {notice}
          </p>
        )}
        <SignInForm
          key={mode}
          mode={mode}
          email={email}
          onEmail={setEmail}
          onMode={setMode}
          onSession={(session) => sessions.set(session)}
        />
        <p className="sign-in-switch">
          {mode === 'sign-in' ? 'New here?' : 'Already have an account?'}{' '}
          <button
            type="button"
            className="link-button"
            onClick={() => setMode(mode === 'sign-in' ? 'sign-up' : 'sign-in')}
          >
            {mode === 'sign-in' ? 'Create an account' : 'Sign in'}
          </button>
        </p>
      </main>
    </div>
  );
}
