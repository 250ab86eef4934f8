import { parseArgs } from 'node:util';

/** What was asked for on the command line. */
export type Command =
  | { readonly kind: 'help'; readonly problem?: string; readonly mutant?: undefined }
  | {
      readonly kind: 'campaign';
      readonly from: number;
      readonly seeds: number;
      readonly jobs: number;
      readonly stopsAtFirst: boolean;
      readonly shrinks: boolean;
      readonly tallies: boolean;
      readonly mutant: string | undefined;
    }
  | { readonly kind: 'kept'; readonly mutant: string | undefined }
  | {
      readonly kind: 'replay';
      /** A seed, or the name of a file with a plan. */
      readonly source: { readonly seed: string } | { readonly file: string };
      readonly shrinks: boolean;
      /** What the seed has found: its plan is added to the regressions. */
      readonly keep: string | undefined;
      readonly mutant: string | undefined;
    };

/** What `--help` says. */
export const HELP = `Runs the deterministic simulation of the client, the server and its log.

  npm run simulate -- [options]

  --seeds <n>     how many seeds to run (2000)
  --from <n>      the first of them (1)
  --jobs <n>      worker threads (1)
  --first         stop at the first failing seed
  --tally         say how often what happened
  --no-shrink     do not make the first failing plan smaller

  --seed <n>      run this one and print what happens, made as small as it goes when it fails
  --plan <file>   the same with a plan of a file: JSON, as it is printed
  --keep <text>   with one of these: add the plan to regressions.jsonl; the text says what it has found
  --kept          run every plan of regressions.jsonl

  --mutant <name> break the built code as mutants.ts says
  --help          this

A failing seed fails again, here and elsewhere, as long as the code is the same.
`;

const OPTIONS = {
  seeds: { type: 'string', default: '2000' },
  from: { type: 'string', default: '1' },
  jobs: { type: 'string', default: '1' },
  first: { type: 'boolean', default: false },
  tally: { type: 'boolean', default: false },
  'no-shrink': { type: 'boolean', default: false },
  seed: { type: 'string' },
  plan: { type: 'string' },
  keep: { type: 'string' },
  kept: { type: 'boolean', default: false },
  mutant: { type: 'string' },
  help: { type: 'boolean', default: false },
} as const;

/** Reads the command line; what is wrong with it leads to the help. */
export function parseCommandLine(args: readonly string[]): Command {
  try {
    const { values } = parseArgs({ args: [...args], options: OPTIONS });
    if (values.help) return { kind: 'help' };
    const { mutant, keep, seed, plan } = values;
    if (values.kept) return { kind: 'kept', mutant };
    const shrinks = !values['no-shrink'];
    const source = seed === undefined ? plan && { file: plan } : { seed };
    if (source !== undefined && source !== '') return { kind: 'replay', source, shrinks, keep, mutant };
    return {
      kind: 'campaign',
      from: wholeNumber('from', values.from),
      seeds: wholeNumber('seeds', values.seeds),
      jobs: Math.max(1, wholeNumber('jobs', values.jobs)),
      stopsAtFirst: values.first,
      tallies: values.tally,
      shrinks,
      mutant,
    };
  } catch (cause) {
    return { kind: 'help', problem: cause instanceof Error ? cause.message : String(cause) };
  }
}

function wholeNumber(name: string, text: string): number {
  const value = Number(text);
  if (Number.isSafeInteger(value) && value >= 0) return value;
  throw new RangeError(`--${name} must be a whole number, not ${text}.`);
}
