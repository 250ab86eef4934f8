import { memo } from 'react';
import { slicePlain } from './text-blocks.js';

/** A very long text, in pieces that the browser lays out only when they come into view. */
export function LongText({ text }: { readonly text: string }) {
  return (
    <div className="long-text">
      {slicePlain(text).map(({ start, end }) => (
        <Slice key={start} text={text} start={start} end={end} />
      ))}
    </div>
  );
}

/** The text only grows, so a slice with the same bounds has the same content. */
const Slice = memo(
  ({ text, start, end }: { readonly text: string; readonly start: number; readonly end: number }) => (
    <div className="long-text-slice">{text.slice(start, end)}</div>
  ),
  (a, b) => a.start === b.start && a.end === b.end,
);
