import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { copyTree, type TreeCopy } from '../harness/tree-copy.js';

const BUILD_MS = 180_000;

/** Three ways in which the signatures of a package drift away from those who compose it. */
const DRIFTS = [
  {
    what: 'a renamed parameter key',
    file: 'packages/id-generation/src/contract.ts',
    find: /readonly clock: /,
    replacement: 'readonly time: ',
    symbol: /\btime: /,
  },
  {
    what: 'a removed method',
    file: 'packages/id-generation/src/contract.ts',
    find: /^ {2}connectionId\(\): ConnectionId;\n/m,
    replacement: '',
    symbol: /connectionId\(\): ConnectionId/,
  },
  {
    what: 'a synchronous method made asynchronous',
    file: 'packages/id-generation/src/contract.ts',
    find: /^ {2}messageId\(\): MessageId;/m,
    replacement: '  messageId(): Promise<MessageId>;',
    symbol: /messageId\(\): Promise<MessageId>/,
  },
] as const;

describe('contract gates, in a copy of the tree', () => {
  let copy: TreeCopy;

  beforeAll(async () => {
    copy = await copyTree();
  }, BUILD_MS);

  afterAll(async () => await copy[Symbol.asyncDispose]());

  it(
    '[CT-1] pass on the untouched copy',
    async () => {
      expect(await copy.run('tsc', ['-b'])).toMatchObject({ code: 0, output: '' });
      const report = await copy.run('api-extractor', ['run'], 'packages/id-generation');
      expect(report.code).toBe(0);
    },
    BUILD_MS,
  );

  it.each(DRIFTS)(
    '[CT-1] $what in id-generation fails the build of a package that composes it, and the API check names it',
    async (drift) => {
      const undo = await copy.edit(drift.file, drift.find, drift.replacement);
      try {
        const build = await copy.run('tsc', ['-b']);
        const broken = build.output.split('\n').filter((line) => / error TS2\d{3}: /.test(line));
        expect(broken.filter((line) => !line.startsWith('packages/id-generation/'))).not.toEqual([]);
        // The package itself may not compile either: the report is about its declarations, which are emitted.
        const report = await copy.run('node', ['../../scripts/api-report.mjs'], 'packages/id-generation');
        expect(report.code).not.toBe(0);
        expect(report.output).toMatch(drift.symbol);
      } finally {
        await undo();
      }
    },
    BUILD_MS,
  );

  it(
    '[MG-2] a changed signature of managerFor fails the build of its caller',
    async () => {
      const undo = await copy.edit(
        'packages/connection-pool/src/contract.ts',
        'managerFor(context: RequestContext): WebSocketManager;',
        'managerFor(context: RequestContext, options: { readonly create: boolean }): WebSocketManager;',
      );
      try {
        const { output } = await copy.run('tsc', ['-b']);
        expect(output).toMatch(/apps\/server\/src\/\S+ error TS2554: /);
      } finally {
        await undo();
      }
    },
    BUILD_MS,
  );

  it.each([
    ['awaits managerFor', 'await pool.managerFor(context);', 'oxlint', /await-thenable/],
    ['calls managerFor with named arguments', 'pool.managerFor({ context });', 'tsc', /error TS2\d{3}: /],
    ['makes an id with randomUUID', 'crypto.randomUUID();', 'oxlint', /no-restricted-properties/],
    ['drops a promise', 'Promise.resolve();', 'oxlint', /no-floating-promises/],
  ])(
    '[MG-2, ID-1] a caller that %s is refused',
    async (_what, statement, program, refusal) => {
      const file = 'apps/server/src/gate-fixture.ts';
      const undo = await copy.create(
        file,
        `import type { ConnectionPool } from '@runwire/connection-pool';
import type { RequestContext } from '@runwire/user-context';

export async function fixture(pool: ConnectionPool, context: RequestContext): Promise<void> {
  ${statement}
  await Promise.resolve(pool.managerFor(context));
}
`,
      );
      try {
        await copy.run('tsc', ['-b']);
        const checked =
          program === 'oxlint'
            ? await copy.run('oxlint', ['--type-aware', '--deny-warnings', file])
            : await copy.run('tsc', ['-p', 'apps/server/tsconfig.json', '--noEmit']);
        expect(checked.code).not.toBe(0);
        expect(checked.output).toMatch(refusal);
      } finally {
        await undo();
      }
    },
    BUILD_MS,
  );

  it.each(['nanoid', 'uuid'])(
    '[ID-1] an import of %s outside id-generation is refused',
    async (library) => {
      const file = 'packages/event-log/src/gate-fixture.ts';
      const undo = await copy.create(
        file,
        `import * as made from '${library}';\n\nexport const ids = made;\n`,
      );
      try {
        const checked = await copy.run('oxlint', ['--type-aware', '--deny-warnings', file]);
        expect(checked.code).not.toBe(0);
        expect(checked.output).toMatch(/no-restricted-imports/);
      } finally {
        await undo();
      }
    },
    BUILD_MS,
  );

  it.each([
    ['a socket of its own', "new WebSocket('ws://127.0.0.1');", /no-restricted-globals/],
    [
      'a client of its own',
      "import { createRunwireClient } from '@runwire/client';\ncreateRunwireClient;",
      /no-restricted-imports/,
    ],
  ])(
    'a test that makes %s, past the harness and its audit, is refused',
    async (_what, text, refusal) => {
      const file = 'tests/test/gate-fixture.ts';
      const undo = await copy.create(file, `${text}\n`);
      try {
        const checked = await copy.run('oxlint', ['--type-aware', '--deny-warnings', file]);
        expect(checked.code).not.toBe(0);
        expect(checked.output).toMatch(refusal);
      } finally {
        await undo();
      }
    },
    BUILD_MS,
  );
});
