import { CodedError } from '@runwire/kernel';

/** Why the configuration was refused. */
export type ConfigErrorCode = 'CONFIG_INVALID';

/** A configuration that cannot be started with; the message is fit to be shown as it is. */
export class ConfigError extends CodedError<ConfigErrorCode> {
  override readonly name = 'ConfigError';
}
