import { expect, test } from '@jest/globals';
import { replaceGenerated } from '../../src/report/markers.js';

const DOCUMENT = `# Title

<!-- bench:A1 -->
old
<!-- /bench:A1 -->

<!-- bench:A10 --><!-- /bench:A10 -->
text
`;

test('what stands between the markers is replaced, and nothing else', () => {
  expect(replaceGenerated(DOCUMENT, 'A1', 'new')).toBe(
    DOCUMENT.replace('-->\nold\n<!--', '-->\n\nnew\n\n<!--'),
  );
});

test('a name is not taken for a longer one', () => {
  expect(replaceGenerated(DOCUMENT, 'A10', 'new')).toContain(
    '<!-- bench:A10 -->\n\nnew\n\n<!-- /bench:A10 -->',
  );
  expect(replaceGenerated(DOCUMENT, 'A10', 'new')).toContain('old');
});

test('replacing again changes nothing', () => {
  const once = replaceGenerated(DOCUMENT, 'A1', 'new') ?? '';
  expect(replaceGenerated(once, 'A1', 'new')).toBe(once);
});

test('a document without the place, or with half of it, is left alone', () => {
  expect(replaceGenerated(DOCUMENT, 'B', 'new')).toBeUndefined();
  expect(replaceGenerated('<!-- bench:B --> open', 'B', 'new')).toBeUndefined();
});
