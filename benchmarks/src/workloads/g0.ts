import { readerWorkload } from './reader.js';

/** As G with a reader that reads: what has grown then is what is kept anyway. */
export const g0 = readerWorkload({
  name: 'G0',
  title: 'reading reader: as G, with a reader that reads',
  stops: false,
  contestants: ['runwire'],
});
