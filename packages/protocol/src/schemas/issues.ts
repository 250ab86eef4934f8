import type { z } from 'zod';

/** What is wrong with one field of a message. */
export interface MessageIssue {
  /** Where, as `parts.0.text`; empty for the message itself. */
  readonly path: string;
  readonly message: string;
}

const MAX_ISSUES = 10;
const MAX_CHARS = 200;

/** The first ten issues, cut to a size that a hostile message cannot choose. */
export function describeIssues(issues: readonly z.core.$ZodIssue[]): readonly MessageIssue[] {
  return issues.slice(0, MAX_ISSUES).map((issue) => ({
    path: issue.path.map(String).join('.').slice(0, MAX_CHARS),
    message: issue.message.slice(0, MAX_CHARS),
  }));
}
