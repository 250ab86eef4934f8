import { parseArgs } from 'node:util';

/** What was asked for. */
export type Command =
  | { readonly kind: 'help'; readonly problem?: string }
  | ({ readonly kind: 'run' | 'profile' } & Selection & { readonly rounds: number })
  /** `update` writes the baseline anew instead of comparing with it. */
  | { readonly kind: 'guard'; readonly update: boolean }
  /** Writes the tables of an earlier run. */
  | { readonly kind: 'tables'; readonly file: string };

/** What is run. */
export interface Selection {
  /** Undefined: all. */
  readonly workloads: readonly string[] | undefined;
  /** Undefined: those of each workload. */
  readonly contestants: readonly string[] | undefined;
}

/** The names that may be given. */
export interface KnownNames {
  readonly workloads: readonly string[];
  readonly contestants: readonly string[];
}

/** Rounds of a run. Medians of fewer are not worth comparing, and are not published. */
export const DEFAULT_ROUNDS = 5;

/** What `--help` says. */
export function helpText({ workloads, contestants }: KnownNames): string {
  return `Measures Runwire beside its peers.

  npm run bench -- [options]
  npm run bench:guard -- [--update]

  --workload <names>     only these, separated by commas: ${workloads.join(', ')}
  --contestants <names>  only these: ${contestants.join(', ')}
  --rounds <n>           how often each is measured (${DEFAULT_ROUNDS})
  --profile              take a CPU profile and an allocation profile of each server instead
  --tables <file>        write the tables of an earlier run, and measure nothing
  --guard                compare the ratios of Runwire with baseline.json; fail when one is 15 % worse
  --update               with --guard: write baseline.json
  --help                 this

Raw samples go to benchmarks/results/. A run of everything, to its end, writes the tables in the READMEs;
any other goes to benchmarks/results/partial/ and changes no table.
`;
}

const OPTIONS = {
  workload: { type: 'string' },
  contestants: { type: 'string' },
  rounds: { type: 'string', default: String(DEFAULT_ROUNDS) },
  profile: { type: 'boolean', default: false },
  tables: { type: 'string' },
  guard: { type: 'boolean', default: false },
  update: { type: 'boolean', default: false },
  help: { type: 'boolean', default: false },
} as const;

/** Reads the command line; what is wrong with it leads to the help. */
export function parseCommandLine(args: readonly string[], known: KnownNames): Command {
  try {
    const { values } = parseArgs({ args: [...args], options: OPTIONS });
    if (values.help) return { kind: 'help' };
    if (values.tables !== undefined) return { kind: 'tables', file: values.tables };
    if (values.guard) return { kind: 'guard', update: values.update };
    if (values.update) throw new RangeError('--update goes with --guard.');
    return {
      kind: values.profile ? 'profile' : 'run',
      workloads: namesOf('workload', values.workload, known.workloads),
      contestants: namesOf('contestant', values.contestants, known.contestants),
      rounds: wholeNumber('rounds', values.rounds),
    };
  } catch (cause) {
    return { kind: 'help', problem: cause instanceof Error ? cause.message : String(cause) };
  }
}

function namesOf(
  what: string,
  text: string | undefined,
  known: readonly string[],
): readonly string[] | undefined {
  if (text === undefined) return undefined;
  const names = text.split(',').map((name) => name.trim());
  for (const name of names) {
    if (known.includes(name)) continue;
    throw new RangeError(`There is no ${what} "${name}". There are: ${known.join(', ')}.`);
  }
  return names;
}

function wholeNumber(name: string, text: string): number {
  const value = Number(text);
  if (Number.isSafeInteger(value) && value >= 1) return value;
  throw new RangeError(`--${name} must be a whole number from 1 on, not ${text}.`);
}
