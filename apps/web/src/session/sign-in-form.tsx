import { type FormEvent, useEffect, useRef, useState } from 'react';
import { TextField } from '../ui/text-field.js';
import { register, signIn } from './auth-api.js';
import type { Session } from './session-store.js';
import { checkFields, type FieldName, problemFrom, type SignInProblem } from './sign-in-problem.js';

/** What the form does. */
export type SignInMode = 'sign-in' | 'sign-up';

/** The form to sign in or to make an account. */
export function SignInForm(props: {
  readonly mode: SignInMode;
  readonly email: string;
  readonly onEmail: (email: string) => void;
  readonly onMode: (mode: SignInMode) => void;
  readonly onSession: (session: Session) => void;
}) {
  const { mode, email, onEmail, onMode, onSession } = props;
  const [name, setName] = useState('');
  const [password, setPassword] = useState('');
  const [problem, setProblem] = useState<SignInProblem>();
  const [busy, setBusy] = useState(false);
  const form = useRef<HTMLFormElement>(null);
  const isNew = mode === 'sign-up';

  useEffect(() => {
    form.current?.querySelector<HTMLInputElement>('[name="email"]')?.focus();
  }, []);
  useEffect(() => {
    if (problem === undefined || problem.at === 'form') return;
    form.current?.querySelector<HTMLInputElement>(`[name="${problem.at}"]`)?.focus();
  }, [problem]);

  const submit = async (): Promise<void> => {
    const wrong = checkFields({ email, password }, isNew);
    setProblem(wrong);
    if (wrong !== undefined) return;
    setBusy(true);
    try {
      const credentials = { email: email.trim(), password };
      const named = name.trim() === '' ? credentials : { ...credentials, name: name.trim() };
      onSession(isNew ? await register(named) : await signIn(credentials));
    } catch (cause) {
      setProblem(problemFrom(cause));
      setBusy(false);
    }
  };
  const onSubmit = (event: FormEvent): void => {
    event.preventDefault();
    if (!busy) void submit();
  };
  const at = (field: FieldName) => ({
    name: field,
    problem: problem?.at === field ? problem.message : undefined,
    wayOut: problem?.at === field && problem.wayOut !== undefined && problem.wayOut !== mode && (
      <WayOut to={problem.wayOut} onMode={onMode} />
    ),
  });

  return (
    <form ref={form} className="form" onSubmit={onSubmit} noValidate aria-busy={busy}>
      {isNew && (
        <TextField
          label="Name"
          hint="optional"
          autoComplete="name"
          value={name}
          onValue={setName}
          {...at('name')}
        />
      )}
      <TextField
        label="E-mail"
        type="email"
        autoComplete={isNew ? 'email' : 'username'}
        inputMode="email"
        value={email}
        onValue={onEmail}
        {...at('email')}
      />
      <TextField
        label="Password"
        type="password"
        autoComplete={isNew ? 'new-password' : 'current-password'}
        {...(isNew ? { hint: 'at least 8 characters' } : {})}
        value={password}
        onValue={setPassword}
        {...at('password')}
      />
      {problem?.at === 'form' && (
        <p className="field-problem" role="alert">
          {problem.message}
        </p>
      )}
      <button type="submit" className="button primary" disabled={busy}>
        {busy && <span className="spinner" aria-hidden="true" />}
        {isNew ? (busy ? 'Creating account…' : 'Create account') : busy ? 'Signing in…' : 'Sign in'}
      </button>
    </form>
  );
}

function WayOut({ to, onMode }: { readonly to: SignInMode; readonly onMode: (mode: SignInMode) => void }) {
  return (
    <button type="button" className="link-button" onClick={() => onMode(to)}>
      {to === 'sign-in' ? 'Sign in instead' : 'Create an account instead'}
    </button>
  );
}
