import { fileURLToPath } from 'node:url';

/** Where raw samples go. */
export const RESULTS_DIRECTORY: string = fileURLToPath(new URL('../../results/', import.meta.url));

/** The ratios that the guard compares with. */
export const BASELINE_FILE: string = fileURLToPath(new URL('../../baseline.json', import.meta.url));
