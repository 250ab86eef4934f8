import { createIdGenerator } from '@runwire/id-generation';
import { createSystemClock, isCodedError, type Logger } from '@runwire/kernel';
import { openFileEventLog } from '../../src/index.js';

// A process that opens the log of a folder, says how that went, and has it until it is killed or told to close.

const [, , directory = ''] = process.argv;
const clock = createSystemClock();
const logger: Logger = {
  debug: () => undefined,
  info: () => undefined,
  warn: () => undefined,
  error: () => undefined,
  child: () => logger,
};
const say = (line: string): void => void process.stdout.write(`${line}\n`);

say('ready');
process.stdin.once('data', () => {
  openFileEventLog({ clock, ids: createIdGenerator({ clock }), logger }, { directory }).then(
    (log) => {
      say('held');
      process.stdin.once('data', () => {
        log.close().then(
          () => process.exit(0),
          () => process.exit(1),
        );
      });
    },
    (error: unknown) => {
      say(isCodedError(error) ? error.code : String(error));
      process.exit(0);
    },
  );
});
