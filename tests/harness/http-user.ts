/** A registered user, over HTTP alone. */
export interface HttpUser {
  readonly id: string;
  readonly email: string;
  readonly password: string;
  readonly accessToken: string;
  readonly refreshToken: string;
  /** Calls the API as this user. */
  call(method: string, path: string, body?: unknown): Promise<HttpAnswer>;
}

/** What HTTP answered. */
export interface HttpAnswer {
  readonly status: number;
  readonly headers: Headers;
  // biome-ignore lint/suspicious/noExplicitAny: tests look into answers of every shape
  readonly body: any;
}

/** Calls a server. */
export async function callHttp(
  url: string,
  request: {
    readonly method: string;
    readonly path: string;
    readonly token?: string;
    readonly body?: unknown;
  },
): Promise<HttpAnswer> {
  const response = await fetch(new URL(request.path, url), {
    method: request.method,
    headers: {
      ...(request.token === undefined ? {} : { authorization: `Bearer ${request.token}` }),
      ...(request.body === undefined ? {} : { 'content-type': 'application/json' }),
    },
    ...(request.body === undefined ? {} : { body: JSON.stringify(request.body) }),
  });
  const text = await response.text();
  const json = (response.headers.get('content-type') ?? '').includes('json');
  return {
    status: response.status,
    headers: response.headers,
    body: json && text !== '' ? JSON.parse(text) : text,
  };
}

let users = 0;

/** Registers a new user. `url` is asked at each call: a server that was started again has another. */
export async function registerUser(url: () => string): Promise<HttpUser> {
  users += 1;
  const email = `user-${process.pid}-${users}@example.org`;
  const password = `correct horse ${users}`;
  const { status, body } = await callHttp(url(), {
    method: 'POST',
    path: '/auth/register',
    body: { email, password, name: `User ${users}` },
  });
  if (status !== 201) throw new Error(`Registration was answered ${status}: ${JSON.stringify(body)}`);
  return userOf(url, { email, password }, body);
}

/** Signs in a user who registered elsewhere, such as on the page. */
export async function signInUser(
  url: () => string,
  who: { readonly email: string; readonly password: string },
): Promise<HttpUser> {
  const { status, body } = await callHttp(url(), { method: 'POST', path: '/auth/login', body: who });
  if (status !== 200) throw new Error(`The sign-in was answered ${status}: ${JSON.stringify(body)}`);
  return userOf(url, who, body);
}

function userOf(
  url: () => string,
  who: { readonly email: string; readonly password: string },
  session: HttpAnswer['body'],
): HttpUser {
  const { accessToken, refreshToken, user } = session;
  return {
    id: user.id,
    ...who,
    accessToken,
    refreshToken,
    call: (method, path, sent) =>
      callHttp(url(), { method, path, token: accessToken, ...(sent === undefined ? {} : { body: sent }) }),
  };
}
