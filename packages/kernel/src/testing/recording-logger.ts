import type { LogFields, Logger } from '../contract.js';

/** One line that was logged. */
export interface LoggedLine {
  readonly level: 'debug' | 'info' | 'warn' | 'error';
  readonly fields: LogFields;
  readonly message: string;
}

/** A logger that keeps its lines for a test to read. */
export interface RecordingLogger extends Logger {
  readonly lines: readonly LoggedLine[];
}

/** Creates a logger that records; children record into the same list with their fields added. */
export function createRecordingLogger(): RecordingLogger {
  const lines: LoggedLine[] = [];
  return { ...recorder(lines, {}), lines };
}

function recorder(lines: LoggedLine[], base: LogFields): Logger {
  const at =
    (level: LoggedLine['level']) =>
    (fields: LogFields, message: string): void => {
      lines.push({ level, fields: { ...base, ...fields }, message });
    };
  return {
    debug: at('debug'),
    info: at('info'),
    warn: at('warn'),
    error: at('error'),
    child: (fields) => recorder(lines, { ...base, ...fields }),
  };
}
