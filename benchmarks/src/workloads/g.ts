import { readerWorkload } from './reader.js';

/** A reader that stops: what is emitted to it meanwhile has to be somewhere. */
export const g = readerWorkload({
  name: 'G',
  title: 'stopped reader: it stops while 50 MB are emitted to it, and goes on then',
  stops: true,
  // More than with a reader that reads; G0 shows that this keeps next to nothing.
  goal: { key: 'usedMb', atMost: 4 },
  contestants: ['ws', 'socket.io', 'sse', 'uws-default', 'runwire'],
});
