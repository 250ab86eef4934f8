import { z } from 'zod';
import type { AuthService } from '../../auth/auth-service.js';
import type { RunwireHttpApp } from '../app.js';
import type { Guard } from '../guard.js';
import { callerOf, type RequestStates, sessionOf } from '../request-state.js';

const EMAIL = z.email({ error: 'expected an e-mail address' }).max(320);
const PASSWORD = z
  .string()
  .min(8, { error: 'expected at least 8 characters' })
  .max(256, { error: 'expected at most 256 characters' });
const USER = z.object({ id: z.string(), email: z.string(), name: z.string() });
const TOKENS = z.object({
  accessToken: z.string(),
  refreshToken: z.string(),
  tokenType: z.literal('Bearer'),
  expiresInSeconds: z.number(),
  user: USER,
});

/** Registration, sign-in, rotation, sign-out (protocol §8). */
export function addAuthRoutes(
  app: RunwireHttpApp,
  deps: { readonly auth: AuthService; readonly states: RequestStates; readonly guard: Guard },
): void {
  const { auth, states, guard } = deps;
  const tags = ['auth'];
  const security = [{ bearer: [] }];
  app.post(
    '/auth/register',
    {
      schema: {
        tags,
        body: z.object({ email: EMAIL, password: PASSWORD, name: z.string().trim().max(200).optional() }),
        response: { 201: TOKENS },
      },
    },
    async (request, reply) => {
      const pair = await auth.register(sessionOf(states, request), {
        ...request.body,
        remoteAddress: request.ip,
      });
      return reply.code(201).send(pair);
    },
  );
  app.post(
    '/auth/login',
    // No rule for the password here: an old one that a newer rule refuses must still work.
    {
      schema: {
        tags,
        body: z.object({ email: EMAIL, password: z.string().min(1).max(256) }),
        response: { 200: TOKENS },
      },
    },
    (request) => auth.login(sessionOf(states, request), { ...request.body, remoteAddress: request.ip }),
  );
  app.post(
    '/auth/refresh',
    {
      schema: {
        tags,
        body: z.object({ refreshToken: z.string().min(1).max(512) }),
        response: { 200: TOKENS },
      },
    },
    (request) => auth.refresh(sessionOf(states, request), request.body.refreshToken),
  );
  app.post(
    '/auth/logout',
    { onRequest: guard, schema: { tags, security, response: { 204: z.null() } } },
    async (request, reply) => {
      await auth.logout(sessionOf(states, request), callerOf(states, request).principal);
      return reply.code(204).send(null);
    },
  );
  app.get('/auth/me', { onRequest: guard, schema: { tags, security, response: { 200: USER } } }, (request) =>
    auth.account(sessionOf(states, request), callerOf(states, request).context.userId),
  );
}
