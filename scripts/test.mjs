// `npm test`: from a fresh clone to proof.
import { installChromium, installDependencies, requireNode } from './prepare.mjs';

requireNode();
installDependencies();
installChromium();
const { check } = await import('./check.mjs');
process.exit(check() ? 0 : 1);
