import { readFileSync } from 'node:fs';
import { describe, expect, it } from '@jest/globals';
import { createRequestContext, UserExecutionContext } from '../src/index.js';
import { ids, refusal, validFields } from './identities.js';

describe('the child of a run', () => {
  it('[CX-5] has the same user, thread and run, its own request id, and leaves its parent as it is', () => {
    const parent = UserExecutionContext.fromRequest(validFields());
    const before = JSON.stringify(parent);
    const requestId = ids.requestId();
    const child = parent.child('search', { requestId });
    expect({ ...child }).toEqual({ ...parent, requestId, depth: 1, operation: 'search' });
    expect(JSON.stringify(parent)).toBe(before);
    expect(child.metadata).toBe(parent.metadata);
  });

  it('[CX-5] goes 10 deep and no further', () => {
    let context = UserExecutionContext.fromRequest(validFields());
    for (let depth = 1; depth <= 10; depth += 1) {
      context = context.child(`step ${depth}`, { requestId: ids.requestId() });
      expect([context.depth, context.operation]).toEqual([depth, `step ${depth}`]);
    }
    const deepest = context;
    expect(refusal(() => deepest.child('more', { requestId: ids.requestId() }))).toMatchObject({
      code: 'DEPTH_EXCEEDED',
      field: 'depth',
    });
    expect(refusal(() => deepest.child({ requestId: ids.requestId() })).code).toBe('DEPTH_EXCEEDED');
  });

  it('[CX-5] is refused with the request id of its parent, without one, or with a bad one', () => {
    const parent = UserExecutionContext.fromRequest(validFields());
    const attempt = (requestId: unknown) =>
      refusal(() => parent.child('x', { requestId: requestId as string }));
    expect(attempt(parent.requestId)).toMatchObject({ code: 'REQUEST_ID_REUSED', field: 'requestId' });
    expect(attempt(undefined)).toMatchObject({ code: 'FIELD_BLANK', field: 'requestId' });
    expect(attempt('test_request')).toMatchObject({ code: 'FIELD_PLACEHOLDER', field: 'requestId' });
    expect(attempt(ids.runId(ids.threadId()))).toMatchObject({ code: 'FIELD_INVALID', field: 'requestId' });
    expect(refusal(() => parent.child('x', undefined as never)).code).toBe('FIELD_BLANK');
  });

  it('names its operation with any text of 1 to 128 characters', () => {
    const parent = UserExecutionContext.fromRequest(validFields());
    const attempt = (operation: string) => parent.child(operation, { requestId: ids.requestId() });
    expect(attempt('test').operation).toBe('test');
    expect(attempt('x'.repeat(128)).operation).toHaveLength(128);
    expect(refusal(() => attempt('x'.repeat(129)))).toMatchObject({
      code: 'FIELD_INVALID',
      field: 'operation',
    });
    expect(refusal(() => attempt('  '))).toMatchObject({ code: 'FIELD_BLANK', field: 'operation' });
    expect(Object.keys(parent.child({ requestId: ids.requestId() }))).not.toContain('operation');
  });
});

describe('the child of a request', () => {
  it('has the same identity in another request', () => {
    const { userId, requestId, sessionId, connectionId, metadata } = validFields();
    const parent = createRequestContext({ userId, requestId, sessionId, connectionId, metadata });
    const next = ids.requestId();
    const child = parent.child({ requestId: next });
    expect({ ...child }).toEqual({ userId, requestId: next, sessionId, connectionId, metadata });
    expect(parent.requestId).toBe(requestId);
    expect(refusal(() => parent.child({ requestId })).code).toBe('REQUEST_ID_REUSED');
  });
});

describe('forRun', () => {
  it('gives the run the identity of its request, at depth 0', () => {
    const { threadId, runId, createdAtMs: _, ...fields } = validFields();
    const request = createRequestContext(fields);
    expect({ ...request.forRun({ threadId, runId }) }).toEqual({ ...fields, threadId, runId, depth: 0 });
    const deep = request.forRun({ threadId, runId }).child('x', { requestId: ids.requestId() });
    const other = ids.runId(deep.threadId);
    expect(deep.forRun({ threadId, runId: other })).toMatchObject({
      runId: other,
      depth: 0,
      requestId: deep.requestId,
    });
  });
});

describe('the package', () => {
  it('[CX-6] needs no database: it depends on ids and the kernel only', () => {
    const manifest: unknown = JSON.parse(readFileSync(new URL('../package.json', import.meta.url), 'utf8'));
    const { dependencies } = manifest as { dependencies: Record<string, string> };
    expect(Object.keys(dependencies).sort()).toEqual(['@runwire/id-generation', '@runwire/kernel']);
  });
});
