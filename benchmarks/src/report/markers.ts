/** What stands around a generated part of a document. */
function markersOf(name: string): { readonly begin: string; readonly end: string } {
  return { begin: `<!-- bench:${name} -->`, end: `<!-- /bench:${name} -->` };
}

/** Puts `content` between the markers of `name`; undefined when the document has no such place. */
export function replaceGenerated(document: string, name: string, content: string): string | undefined {
  const { begin, end } = markersOf(name);
  const from = document.indexOf(begin);
  const to = document.indexOf(end, from);
  if (from === -1 || to === -1) return undefined;
  return `${document.slice(0, from + begin.length)}\n\n${content}\n\n${document.slice(to)}`;
}
