import { fileURLToPath } from 'node:url';

const root = fileURLToPath(new URL('.', import.meta.url));

/** @type {import('jest').Config} */
export default {
  testEnvironment: 'node',
  // A machine that is busy is no failure; what must be fast is measured elsewhere.
  testTimeout: 60_000,
  testMatch: ['<rootDir>/test/**/*.test.ts'],
  extensionsToTreatAsEsm: ['.ts'],
  setupFiles: [`${root}scripts/jest-suppressed-error.mjs`],
  injectGlobals: false,
  reporters: ['default', `${root}scripts/jest-results.mjs`],
  transform: {
    '\\.ts$': [
      '@swc/jest',
      {
        swcrc: false,
        sourceMaps: 'inline',
        module: { type: 'es6' },
        jsc: {
          target: 'es2022',
          parser: { syntax: 'typescript' },
          transform: { verbatimModuleSyntax: true },
          keepClassNames: true,
        },
      },
    ],
  },
  moduleNameMapper: {
    // Siblings from their sources: no build before a test.
    '^@runwire/server$': `${root}apps/server/src/index.ts`,
    '^@runwire/([^/]+)$': `${root}packages/$1/src/index.ts`,
    '^@runwire/([^/]+)/(testing|wire)$': `${root}packages/$1/src/$2/index.ts`,
    // TypeScript ESM writes ./x.js for ./x.ts.
    '^(\\.{1,2}/.*)\\.js$': '$1',
  },
  coverageProvider: 'v8',
  collectCoverageFrom: ['src/**/*.ts'],
};
