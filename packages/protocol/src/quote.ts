const PLAIN = /^[\w-]*$/;

/** The JSON of a text. Ids, which are most of the texts there are, need no escaping. */
export function quote(text: string): string {
  return isPlainText(text) ? `"${text}"` : JSON.stringify(text);
}

/** Whether JSON writes the text as it is: ids and the like. */
export function isPlainText(text: string): boolean {
  return PLAIN.test(text);
}
