import { describe, expect, it } from '@jest/globals';
import { calculatorTool, evaluate } from '../../src/agents/calculator.js';
import { timeZoneOf } from '../../src/agents/clock-tool.js';
import { fillerText } from '../../src/agents/filler-text.js';

describe('the calculator', () => {
  const values: Record<string, number> = {
    '2 + 3 * 4': 14,
    '(2 + 3) * 4': 20,
    '2 ^ 3 ^ 2': 512,
    '-2 ^ 2': -4,
    '2 ^ -1': 0.5,
    '--3': 3,
    '10 - 4 - 3': 3,
    '100 / 10 / 2': 5,
    '17 % 5': 2,
    '.5 + 1.25': 1.75,
    '0.1 + 0.2': 0.3,
    '7 × 6 ÷ 2 − 1': 20,
    '1 +\n\t1': 2,
    '2 * -3': -6,
  };
  for (const [expression, value] of Object.entries(values)) {
    it(`says ${JSON.stringify(expression)} is ${value}`, () => {
      expect(evaluate(expression)).toBe(value);
    });
  }

  const mistakes: Record<string, string> = {
    '1 / 0': 'Division by zero has no result.',
    '1 % (2 - 2)': 'Division by zero has no result.',
    '2 +': 'Expected a number at position 4, but the expression ends.',
    '2 3': 'Expected an operator at position 3, but there is "3".',
    '(1 + 2': 'A closing parenthesis is missing.',
    ')': 'Expected a number at position 1, but there is ")".',
    '1.2.3': 'Expected an operator at position 4, but there is ".".',
    '9 ^ 9 ^ 9': 'The result is too large to be calculated.',
    '(-8) ^ 0.5': 'This has no real result.',
    'process.exit()': 'Expected a number at position 1, but there is "p".',
  };
  for (const [expression, message] of Object.entries(mistakes)) {
    it(`explains what is wrong with ${JSON.stringify(expression)}`, () => {
      expect(() => evaluate(expression)).toThrow(expect.objectContaining({ name: 'ToolError', message }));
    });
  }

  it('takes 100 parentheses and no more, and any length its input allows', () => {
    const nested = (depth: number) => `${'('.repeat(depth)}1${')'.repeat(depth)}`;
    expect(evaluate(nested(100))).toBe(1);
    expect(() => evaluate(nested(101))).toThrow('There are too many nested parentheses.');
    expect(evaluate(`${'-'.repeat(999)}1`)).toBe(-1);
    expect(calculatorTool.input.safeParse({ expression: '1'.repeat(1_001) }).success).toBe(false);
  });
});

describe('the clock', () => {
  it('knows cities and zones, in any case', () => {
    expect(timeZoneOf('Tokyo')).toBe('Asia/Tokyo');
    expect(timeZoneOf(' new york ')).toBe('America/New_York');
    expect(timeZoneOf('EUROPE/paris')).toBe('Europe/Paris');
    expect(timeZoneOf('San Francisco')).toBe('America/Los_Angeles');
    expect(timeZoneOf('Kolkata')).toBe('Asia/Kolkata');
    expect(timeZoneOf('UTC')).toBe('UTC');
    expect(timeZoneOf('GMT')).toBe('GMT');
  });

  it('explains that it does not know a place', () => {
    for (const place of ['Atlantis', '', '/', 'constructor', '__proto__']) {
      expect(() => timeZoneOf(place)).toThrow(expect.objectContaining({ name: 'ToolError' }));
    }
  });
});

describe('the filler text', () => {
  it('has exactly the bytes asked for, and is always the same', () => {
    for (const bytes of [1, 2, 80, 1_000, 199_999, 10_000_000]) {
      const text = [...fillerText(bytes)].join('');
      expect(Buffer.byteLength(text)).toBe(bytes);
      expect([...fillerText(bytes)].join('') === text).toBe(true);
    }
  });
});
