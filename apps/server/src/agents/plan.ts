/** What the demo agent makes of a message. */
export type Plan =
  | { readonly kind: 'calculate'; readonly expression: string }
  | { readonly kind: 'tellTime'; readonly place: string }
  | { readonly kind: 'wait'; readonly seconds: number }
  | { readonly kind: 'count'; readonly to: number; readonly perSecond: number | undefined }
  | { readonly kind: 'write'; readonly bytes: number }
  | { readonly kind: 'refuse'; readonly reason: string }
  | { readonly kind: 'introduce' };

/** The longest count and the longest text the demo agent makes. */
export const MAX_COUNT = 100_000;
export const MAX_TEXT_BYTES = 10_000_000;

const COUNT = /\bcount\s+(?:up\s+)?to\s+([\d,]+)(?:\s+at\s+([\d.]+)\s*(?:per|a|\/)\s*s(?:ec(?:ond)?)?\b)?/i;
const WRITE = /\bwrite\s+([\d.,]+)\s*(bytes?|b|kb|kib|mb|mib)\b/i;
const WAIT = /\bwait\s+(?:for\s+)?([\d.]+)\s*(?:s|sec|secs|seconds?)\b/i;
const TIME = /\btime\b.*?(?:\b(?:in|at)\s+([\p{L}/_' -]+?))?\s*[?.!]*$/iu;
/** What follows a place and belongs to no place. */
const FILLER = /\s+(?:right\s+now|now|please|today|at\s+the\s+moment)$/i;
const QUESTION = /^\s*(?:please\s+)?(?:what(?:'s|\s+is)|how\s+much\s+is|calculate|compute|evaluate)?\s*/i;
const ARITHMETIC = /^[\d\s.()+\-−*/×÷^%]+$/;

const BYTES_OF_UNIT: Readonly<Record<string, number>> = {
  b: 1,
  byte: 1,
  bytes: 1,
  kb: 1_000,
  kib: 1_024,
  mb: 1_000_000,
  mib: 1_048_576,
};

/** What asks for something is short; and the patterns below are not meant for long texts. */
const MAX_MESSAGE_LENGTH = 1_000;

/** Decides by simple rules what a message asks for. Pure. */
export function planFor(message: string): Plan {
  if (message.length > MAX_MESSAGE_LENGTH) return { kind: 'introduce' };
  return (
    countPlan(message) ??
    writePlan(message) ??
    waitPlan(message) ??
    calculatePlan(message) ??
    timePlan(message) ?? { kind: 'introduce' }
  );
}

function countPlan(message: string): Plan | undefined {
  const match = COUNT.exec(message);
  if (match === null) return undefined;
  const to = numberOf(match[1]);
  const perSecond = match[2] === undefined ? undefined : Number(match[2]);
  if (to < 1 || to > MAX_COUNT) return refuse(`I count from 1 to at most ${MAX_COUNT}.`);
  if (perSecond !== undefined && !(perSecond > 0)) return refuse('A pace is a number above 0.');
  return { kind: 'count', to, perSecond };
}

function writePlan(message: string): Plan | undefined {
  const match = WRITE.exec(message);
  if (match === null) return undefined;
  const bytes = Math.round(numberOf(match[1]) * (BYTES_OF_UNIT[match[2]?.toLowerCase() ?? ''] ?? 1));
  if (!(bytes >= 1) || bytes > MAX_TEXT_BYTES) return refuse('I write from 1 byte to 10 MB.');
  return { kind: 'write', bytes };
}

function waitPlan(message: string): Plan | undefined {
  const seconds = Number(WAIT.exec(message)?.[1]);
  return seconds > 0 ? { kind: 'wait', seconds } : undefined;
}

function calculatePlan(message: string): Plan | undefined {
  const expression = message.replace(QUESTION, '').replace(/[\s?=!]+$/, '');
  const asks = ARITHMETIC.test(expression) && /\d/.test(expression) && /[+\-−*/×÷^%]/.test(expression);
  return asks ? { kind: 'calculate', expression: expression.trim() } : undefined;
}

function timePlan(message: string): Plan | undefined {
  const match = TIME.exec(message);
  if (match === null) return undefined;
  const place = (match[1] ?? '').replace(FILLER, '').trim();
  return { kind: 'tellTime', place: place === '' ? 'UTC' : place };
}

function refuse(reason: string): Plan {
  return { kind: 'refuse', reason };
}

function numberOf(text: string | undefined): number {
  return Number((text ?? '').replaceAll(',', ''));
}
