// Lets a process of its own run the sources, as a clean clone has them: node --import <this file> <file.ts>
import { register } from 'node:module';

register('./source-hooks.mjs', import.meta.url);
