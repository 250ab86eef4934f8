import { describe, expect, it } from '@jest/globals';
import { VERSION } from '../../src/version.js';
import { compose } from '../support/composed.js';

const METHODS = ['get', 'put', 'post', 'delete', 'patch', 'head', 'options', 'trace'];

/** The calls of protocol §8 that this version has, with whether they need a user. */
const CALLS: readonly (readonly [string, string, boolean])[] = [
  ['post', '/auth/register', false],
  ['post', '/auth/login', false],
  ['post', '/auth/refresh', false],
  ['post', '/auth/logout', true],
  ['get', '/auth/me', true],
  ['get', '/api/agents', true],
  ['get', '/api/stream', true],
  ['post', '/api/commands', true],
  ['get', '/api/threads', true],
  ['post', '/api/threads', true],
  ['get', '/api/threads/{id}', true],
  ['patch', '/api/threads/{id}', true],
  ['delete', '/api/threads/{id}', true],
  ['post', '/api/threads/{id}/messages', true],
  ['get', '/api/runs/{id}', true],
  ['post', '/api/runs/{id}/cancel', true],
  ['get', '/api/runs/{id}/delivery', true],
  ['get', '/api/runs/{id}/events', true],
  ['get', '/api/runs/{id}/result', true],
  ['get', '/api/runs/{id}/tools/{toolCallId}/output', true],
  ['get', '/health/live', false],
  ['get', '/health/ready', false],
  ['get', '/health/startup', false],
  ['get', '/metrics', false],
];

interface Operation {
  readonly security?: readonly object[];
  readonly parameters?: readonly {
    readonly name: string;
    readonly in: string;
    readonly required?: boolean;
  }[];
  readonly responses: Readonly<Record<string, { readonly description?: string }>>;
}

async function operations() {
  await using composed = await compose();
  const answer = await composed.router.app.inject({ method: 'GET', url: '/openapi.json' });
  const document = answer.json();
  const found: { method: string; path: string; operation: Operation }[] = [];
  for (const [path, item] of Object.entries<Record<string, Operation>>(document.paths)) {
    for (const [method, operation] of Object.entries(item)) found.push({ method, path, operation });
  }
  return { answer, document, found };
}

describe('/openapi.json', () => {
  it('is an OpenAPI 3.1 document of this version', async () => {
    const { answer, document } = await operations();
    expect(answer.statusCode).toBe(200);
    expect(answer.headers['content-type']).toContain('application/json');
    expect(document).toMatchObject({ openapi: '3.1.0', info: { title: 'Runwire', version: VERSION } });
    expect(document.components.securitySchemes.bearer).toEqual({
      type: 'http',
      scheme: 'bearer',
      bearerFormat: 'JWT',
    });
  });

  it('has every call there is, and no other, each with whether it needs a user', async () => {
    const { found } = await operations();
    const calls = found.map(({ method, path, operation }) => [
      method,
      path,
      operation.security !== undefined,
    ]);
    expect(calls.map(String).sort()).toEqual(CALLS.map(String).sort());
  });

  it('is well formed: known methods, described responses, declared path parameters, no dangling reference', async () => {
    const { document, found } = await operations();
    for (const { method, path, operation } of found) {
      expect(METHODS).toContain(method);
      expect(path).toMatch(/^\//);
      const statuses = Object.keys(operation.responses);
      expect(statuses.length).toBeGreaterThan(0);
      for (const [status, response] of Object.entries(operation.responses)) {
        expect(status).toMatch(/^([1-5]\d\d|default)$/);
        expect(typeof response.description).toBe('string');
      }
      const inPath = [...path.matchAll(/\{(\w+)\}/g)].map(([, name = '']) => name);
      const declared = (operation.parameters ?? []).filter((parameter) => parameter.in === 'path');
      expect(declared.map(({ name }) => name).sort()).toEqual(inPath.sort());
      for (const { required } of declared) expect(required).toBe(true);
    }
    const text = JSON.stringify(document);
    for (const [, name = ''] of text.matchAll(/"\$ref":"#\/components\/schemas\/([^"]+)"/g)) {
      expect(Object.keys(document.components.schemas)).toContain(name);
    }
    // OpenAPI 3.0's word for null.
    expect(text).not.toContain('"nullable"');
  });
});
