/** The texts of events: 12 to 90 characters, one in eight not ASCII, always the same. */
const WORDS = 'each event arrives once and in the order in which the agent said it to every tab '.repeat(4);
const FILLERS: readonly string[] = Array.from({ length: 64 }, (_, index) => {
  const text = WORDS.slice(index, index + 6 + ((index * 37) % 72));
  return index % 8 === 7 ? `${text} – schön 完了` : text;
});

const END = '\n';
const SEPARATOR = '|';

/** The text of one event: its number for this user, when it was emitted (0 when nobody asks), and filler. */
export function eventText(number: number, stampMicros: number): string {
  return `${number}${SEPARATOR}${stampMicros}${SEPARATOR}${FILLERS[number % FILLERS.length]}${END}`;
}

/** Called for each event; with NaN for what is none. */
export type TakeEvent = (number: number, stampMicros: number) => void;

/** Finds the events again in the texts that one connection received, merged or cut in two as they may be. */
export class TextReader {
  #rest = '';

  read(text: string, take: TakeEvent): void {
    const whole = this.#rest === '' ? text : this.#rest + text;
    let start = 0;
    for (let end = whole.indexOf(END); end !== -1; end = whole.indexOf(END, start)) {
      takeOne(whole, start, end, take);
      start = end + 1;
    }
    this.#rest = start === whole.length ? '' : whole.slice(start);
  }
}

function takeOne(text: string, start: number, end: number, take: TakeEvent): void {
  const first = text.indexOf(SEPARATOR, start);
  const second = text.indexOf(SEPARATOR, first + 1);
  if (first === -1 || second === -1 || second > end) take(Number.NaN, Number.NaN);
  else take(Number(text.slice(start, first)), Number(text.slice(first + 1, second)));
}
