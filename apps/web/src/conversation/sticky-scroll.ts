import { type RefObject, useCallback, useEffect, useLayoutEffect, useRef, useState } from 'react';

const NEAR_BOTTOM_PX = 40;
const AT_BOTTOM_PX = 2;

/**
 * Keeps a scroller at its bottom while it grows, unless the user has scrolled up; keeps what the user reads in
 * place when something is put above it.
 *
 * @param content `firstKey` names the first item; a rise of `ownMessages` goes to the bottom in any case
 */
export function useStickyScroll(
  scroller: RefObject<HTMLElement | null>,
  content: { readonly firstKey: string | undefined; readonly ownMessages: number },
): { readonly isAtBottom: boolean; readonly scrollToBottom: () => void } {
  const [isAtBottom, setAtBottom] = useState(true);
  const sticks = useRef(true);

  const scrollToBottom = useCallback((): void => {
    sticks.current = true;
    setAtBottom(true);
    const element = scroller.current;
    if (element !== null) element.scrollTop = element.scrollHeight;
  }, [scroller]);

  useEffect(() => {
    const element = scroller.current;
    if (element === null) return;
    let lastTop = element.scrollTop;
    const onScroll = (): void => {
      const below = element.scrollHeight - element.scrollTop - element.clientHeight;
      // Upwards means reading, however near the bottom still is; growth alone never scrolls.
      const wentUp = element.scrollTop < lastTop;
      lastTop = element.scrollTop;
      sticks.current = wentUp ? below <= AT_BOTTOM_PX : sticks.current || below <= NEAR_BOTTOM_PX;
      setAtBottom(sticks.current);
    };
    const onResize = (): void => {
      if (sticks.current) element.scrollTop = element.scrollHeight;
    };
    const observer = new ResizeObserver(onResize);
    observer.observe(element);
    for (const child of element.children) observer.observe(child);
    element.addEventListener('scroll', onScroll, { passive: true });
    return () => {
      observer.disconnect();
      element.removeEventListener('scroll', onScroll);
    };
  }, [scroller]);

  useEffect(() => {
    if (content.ownMessages > 0) scrollToBottom();
  }, [content.ownMessages, scrollToBottom]);

  usePlaceKept(scroller, content.firstKey, sticks);
  return { isAtBottom, scrollToBottom };
}

/** What was put above the first item moves the rest down: scrolls by as much. */
function usePlaceKept(
  scroller: RefObject<HTMLElement | null>,
  firstKey: string | undefined,
  sticks: RefObject<boolean>,
): void {
  const before = useRef({ firstKey, height: 0 });
  useLayoutEffect(() => {
    const element = scroller.current;
    if (element === null) return;
    const known = before.current;
    const grown = element.scrollHeight - known.height;
    if (known.firstKey !== undefined && known.firstKey !== firstKey && !sticks.current)
      element.scrollTop += grown;
    before.current = { firstKey, height: element.scrollHeight };
  });
}
