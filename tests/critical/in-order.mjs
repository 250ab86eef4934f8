// The order of the files: whoever reads the output wants to know of the golden path first.
const FIRST = 'golden-path.test.ts';

export default class InOrder {
  sort(tests) {
    const rank = ({ path }) => (path.endsWith(FIRST) ? 0 : 1);
    return [...tests].sort((a, b) => rank(a) - rank(b) || a.path.localeCompare(b.path));
  }

  cacheResults() {}
}
