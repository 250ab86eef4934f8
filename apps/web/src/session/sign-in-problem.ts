import { ApiError, describeFailure } from '../api/api-error.js';

/** The fields of the form. */
export type FieldName = 'email' | 'password' | 'name';

/** What is wrong: with a field, or (`form`) with the attempt; and the way out if there is one. */
export interface SignInProblem {
  readonly at: FieldName | 'form';
  readonly message: string;
  readonly wayOut?: 'sign-in' | 'sign-up';
}

/** The least characters of a new password. */
const MIN_PASSWORD_LENGTH = 8;

/** What is wrong before anything is sent. */
export function checkFields(
  fields: { readonly email: string; readonly password: string },
  isNew: boolean,
): SignInProblem | undefined {
  if (!/^\S+@\S+\.\S+$/.test(fields.email.trim())) {
    return { at: 'email', message: 'Enter an e-mail address, like ada@example.com.' };
  }
  if (fields.password === '') return { at: 'password', message: 'Enter your password.' };
  if (isNew && fields.password.length < MIN_PASSWORD_LENGTH) {
    return { at: 'password', message: `Use at least ${MIN_PASSWORD_LENGTH} characters.` };
  }
  return undefined;
}

/** What the server's refusal means for the form. */
export function problemFrom(cause: unknown): SignInProblem {
  if (!(cause instanceof ApiError)) return { at: 'form', message: describeFailure(cause) };
  switch (cause.code) {
    case 'EMAIL_TAKEN':
      return {
        at: 'email',
        message: 'There is already an account with this e-mail address.',
        wayOut: 'sign-in',
      };
    case 'INVALID_CREDENTIALS':
      return { at: 'password', message: 'The e-mail address or the password is wrong.', wayOut: 'sign-up' };
    case 'TOO_MANY_ATTEMPTS':
    case 'RATE_LIMITED':
      return { at: 'form', message: `Too many attempts.${waitFor(cause.retryAfterMs)}` };
    default: {
      const issue = cause.issues[0];
      const field = issue === undefined ? undefined : fieldOf(issue.path);
      if (issue === undefined || field === undefined) return { at: 'form', message: cause.message };
      return { at: field, message: `${issue.message.charAt(0).toUpperCase()}${issue.message.slice(1)}.` };
    }
  }
}

function waitFor(retryAfterMs: number | undefined): string {
  if (retryAfterMs === undefined) return ' Wait a moment and try again.';
  const seconds = Math.ceil(retryAfterMs / 1_000);
  return seconds < 90
    ? ` Try again in ${seconds} seconds.`
    : ` Try again in ${Math.ceil(seconds / 60)} minutes.`;
}

function fieldOf(path: string): FieldName | undefined {
  const name = path.split('.').at(-1);
  return name === 'email' || name === 'password' || name === 'name' ? name : undefined;
}
