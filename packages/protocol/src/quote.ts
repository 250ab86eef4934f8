const PLAIN = /^[\w-]*$/;

/** The JSON of a text. Ids, which are most of the texts there are, need no escaping. */
export function quote(text: string): string {
  return PLAIN.test(text) ? `"${text}"` : JSON.stringify(text);
}
