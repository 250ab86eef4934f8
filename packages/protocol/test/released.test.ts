import { createHash } from 'node:crypto';
import { readdirSync } from 'node:fs';
import { describe, expect, it } from '@jest/globals';
import {
  decodeClientMessage,
  decodeServerFrame,
  type MessageJsonSchemas,
  messageJsonSchemas,
} from '../src/index.js';
import { breakingChanges } from './compatibility.js';
import { type Examples, examplesOf, readJson } from './golden-examples.js';

const FILES = readdirSync(new URL('../released/', import.meta.url)).filter(
  (name) => name !== 'checksums.json',
);
const VERSIONS = FILES.filter((name) => name.startsWith('v')).map((name) => name.slice(1, -'.json'.length));

describe('released versions', () => {
  it('[CT-2] are kept as the release script wrote them', () => {
    const found = FILES.map((name) => [
      name,
      createHash('sha256')
        .update(JSON.stringify(readJson(`released/${name}`)))
        .digest('hex'),
    ]);
    expect(Object.fromEntries(found)).toEqual(readJson('released/checksums.json'));
    expect(VERSIONS).toContain('0.0.0');
    expect(FILES).toHaveLength(VERSIONS.length * 2);
  });

  it.each(VERSIONS)('[CT-2] nothing breaks what version %s can send and read', (version) => {
    const released = readJson(`released/v${version}.json`) as MessageJsonSchemas;
    expect(breakingChanges(released, messageJsonSchemas())).toEqual([]);
  });

  it.each(VERSIONS)('[CT-2] every example of version %s still parses', (version) => {
    const examples = readJson(`released/examples-v${version}.json`) as Examples;
    for (const message of examplesOf(examples.client)) {
      expect(decodeClientMessage(JSON.stringify(message))).toMatchObject({ ok: true, message });
    }
    for (const message of [...examplesOf(examples.control), ...examplesOf(examples.event)]) {
      expect(decodeServerFrame(JSON.stringify(message))).toMatchObject([message]);
    }
  });
});
