import type { MessageContent, MessagePart } from './contract.js';

/** The content as parts; text becomes one part. */
export function contentParts(content: MessageContent): readonly MessagePart[] {
  return typeof content === 'string' ? [{ type: 'text', text: content }] : content;
}

/** The content as plain text; parts are joined by a line break. */
export function contentText(content: MessageContent): string {
  return typeof content === 'string' ? content : content.map((part) => part.text).join('\n');
}

/** True when there is nothing but white space: such a message is answered `EMPTY_MESSAGE` (§5). */
export function isBlankContent(content: MessageContent): boolean {
  return contentText(content).trim() === '';
}
