import { defineTool, ToolError } from '@runwire/agent-handler';
import { z } from 'zod';

/** Evaluates arithmetic: numbers, `+ - * / % ^`, parentheses, unary minus. */
export const calculatorTool = defineTool({
  name: 'calculator',
  description: 'Evaluates an arithmetic expression.',
  input: z.object({ expression: z.string().min(1).max(1_000) }),
  run: async ({ expression }) => ({ value: evaluate(expression) }),
});

/**
 * Evaluates an expression by recursive descent; `^` binds tightest and to the right.
 * @throws ToolError that says what is wrong with the expression, in words fit for the user
 */
export function evaluate(expression: string): number {
  const parser = new Parser(expression.replaceAll('×', '*').replaceAll('÷', '/').replaceAll('−', '-'));
  const value = parser.sum();
  parser.expectEnd();
  if (Number.isNaN(value)) throw new ToolError('This has no real result.');
  if (!Number.isFinite(value)) throw new ToolError('The result is too large to be calculated.');
  // 0.1 + 0.2 is 0.3 for the people who ask.
  return Number(value.toPrecision(15));
}

const MAX_NESTING = 100;

class Parser {
  readonly #text: string;
  #at = 0;
  #depth = 0;

  constructor(text: string) {
    this.#text = text;
  }

  sum(): number {
    let value = this.#product();
    for (;;) {
      if (this.#take('+')) value += this.#product();
      else if (this.#take('-')) value -= this.#product();
      else return value;
    }
  }

  #product(): number {
    let value = this.#signed();
    for (;;) {
      if (this.#take('*')) value *= this.#signed();
      else if (this.#take('/')) value /= nonZero(this.#signed());
      else if (this.#take('%')) value %= nonZero(this.#signed());
      else return value;
    }
  }

  #signed(): number {
    if (this.#take('-')) return -this.#signed();
    if (this.#take('+')) return this.#signed();
    return this.#power();
  }

  #power(): number {
    const base = this.#atom();
    return this.#take('^') ? base ** this.#signed() : base;
  }

  #atom(): number {
    if (this.#take('(')) {
      this.#depth += 1;
      if (this.#depth > MAX_NESTING) throw new ToolError('There are too many nested parentheses.');
      const value = this.sum();
      if (!this.#take(')')) throw new ToolError('A closing parenthesis is missing.');
      this.#depth -= 1;
      return value;
    }
    this.#skipSpace();
    const number = /^(?:\d+(?:\.\d+)?|\.\d+)/.exec(this.#text.slice(this.#at))?.[0];
    if (number === undefined) throw this.#unexpected('a number');
    this.#at += number.length;
    return Number(number);
  }

  expectEnd(): void {
    this.#skipSpace();
    if (this.#at < this.#text.length) throw this.#unexpected('an operator');
  }

  #take(symbol: string): boolean {
    this.#skipSpace();
    if (this.#text[this.#at] !== symbol) return false;
    this.#at += 1;
    return true;
  }

  #skipSpace(): void {
    while (/\s/.test(this.#text[this.#at] ?? '')) this.#at += 1;
  }

  #unexpected(expected: string): ToolError {
    const found = this.#text[this.#at];
    const what = found === undefined ? 'the expression ends' : `there is "${found}"`;
    return new ToolError(`Expected ${expected} at position ${this.#at + 1}, but ${what}.`);
  }
}

function nonZero(divisor: number): number {
  if (divisor === 0) throw new ToolError('Division by zero has no result.');
  return divisor;
}
