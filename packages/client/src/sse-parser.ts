/** One message of an event stream: its `event` field (`message` when it has none) and its `data`. */
export type SseMessageHandler = (event: string, data: string) => void;

/**
 * Creates the parser of one event stream (HTML, server-sent events). Chunks may be cut anywhere, also between
 * the two characters of a line end. `id` and `retry` fields are not used here: the client keeps its own cursor.
 *
 * @throws RangeError when a message grows beyond `maxChars` UTF-16 units
 */
export function createSseParser(maxChars: number, onMessage: SseMessageHandler): (chunk: string) => void {
  let line = '';
  let event = '';
  let data: string[] = [];
  /** Of `data`. */
  let chars = 0;
  let endedInReturn = false;

  const endLine = (): void => {
    const [, field, value = ''] = /^([^:]*)(?:: ?(.*))?$/s.exec(line) ?? [];
    if (line === '') {
      if (data.length > 0) onMessage(event === '' ? 'message' : event, data.join('\n'));
      event = '';
      data = [];
      chars = 0;
    } else if (field === 'data') {
      data.push(value);
      chars += value.length;
    } else if (field === 'event') {
      event = value;
    }
    line = '';
  };

  return (chunk) => {
    if (chunk === '') return;
    const lines = (endedInReturn ? chunk.replace(/^\n/, '') : chunk).split(/\r\n|\r|\n/);
    endedInReturn = chunk.endsWith('\r');
    for (const [index, text] of lines.entries()) {
      if (index > 0) endLine();
      line += text;
      if (chars + line.length > maxChars)
        throw new RangeError(`A message is longer than ${maxChars} characters.`);
    }
  };
}
