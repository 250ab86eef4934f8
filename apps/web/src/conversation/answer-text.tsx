import { memo } from 'react';
import { LongText } from './long-text.js';
import { MarkdownBlock } from './markdown.js';
import { splitMarkdown } from './text-blocks.js';

/** Above this, Markdown would keep the page busy: the text is shown as it is. */
const MAX_MARKDOWN_LENGTH = 30_000;

/** The words of an answer. Finished blocks are not parsed again while the text grows. */
export const AnswerText = memo(function AnswerText({ text }: { readonly text: string }) {
  const isLong = text.length > MAX_MARKDOWN_LENGTH;
  return (
    <div className={isLong ? 'answer-text' : 'answer-text markdown'} data-testid="answer-text">
      {isLong ? (
        <LongText text={text} />
      ) : (
        splitMarkdown(text).map((block) => <MarkdownBlock key={block.start} text={block.text} />)
      )}
    </div>
  );
});
