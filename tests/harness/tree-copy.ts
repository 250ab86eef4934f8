// The implementation is plain JavaScript: `npm run test:mutants` needs it without a build.
export { copyTree, ROOT, type TreeCopy } from './tree-copy.mjs';
