import { readFileSync } from 'node:fs';

/** A message as it is on the wire. */
export interface WireMessage {
  readonly type: string;
  readonly [field: string]: unknown;
}

/** Examples of one group by type. */
export type ExamplesByType = Readonly<Record<string, readonly WireMessage[]>>;

/** Every group of examples. */
export interface Examples {
  readonly client: ExamplesByType;
  readonly control: ExamplesByType;
  readonly event: ExamplesByType;
}

/** Reads a JSON file of this package. */
export function readJson(path: string): unknown {
  return JSON.parse(readFileSync(new URL(`../${path}`, import.meta.url), 'utf8'));
}

/** The golden examples of every message. */
export const GOLDEN: Examples = {
  client: readJson('test/golden/client.json') as ExamplesByType,
  control: readJson('test/golden/control.json') as ExamplesByType,
  event: readJson('test/golden/event.json') as ExamplesByType,
};

/** All examples of a group, in order. */
export function examplesOf(group: ExamplesByType): readonly WireMessage[] {
  return Object.values(group).flat();
}
