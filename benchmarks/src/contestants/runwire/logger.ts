import type { Logger } from '@runwire/kernel';

/** Writes what went wrong to standard error, where the run shows it. */
export function createStderrLogger(): Logger {
  const write = (fields: Readonly<Record<string, unknown>>, message: string): void => {
    const { err } = fields;
    process.stderr.write(
      `runwire: ${message} ${err instanceof Error ? err.stack : JSON.stringify(fields)}\n`,
    );
  };
  const quiet = (): void => undefined;
  const logger: Logger = { debug: quiet, info: quiet, warn: write, error: write, child: () => logger };
  return logger;
}
