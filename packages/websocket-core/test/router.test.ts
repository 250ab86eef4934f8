import { describe, expect, it } from '@jest/globals';
import { createErrorBody } from '@runwire/protocol';
import { MessageRouter } from '../src/router.js';

describe('a handler that is registered again', () => {
  it('is not taken away by the disposer of before, even if it is the same function', () => {
    const router = new MessageRouter();
    const heard: number[] = [];
    const onAck = ({ seq }: { readonly seq: number }): void => void heard.push(seq);
    const dispose = router.handle('ack', onAck);
    dispose();
    expect([router.message('ack'), router.size]).toEqual([undefined, 0]);
    const disposeAgain = router.handle('ack', onAck);
    dispose();
    router.message('ack')?.({ type: 'ack', seq: 7 }, () => {});
    expect([heard, router.size]).toEqual([[7], 1]);
    disposeAgain();
    expect([router.message('ack'), router.size]).toEqual([undefined, 0]);
  });

  it('is so for commands, too, and is refused while there is one', async () => {
    const router = new MessageRouter();
    const refuse = () => Promise.resolve({ rejected: createErrorBody('NOT_READY') });
    const dispose = router.handleCommand('stop_agent', refuse);
    expect(() => router.handleCommand('stop_agent', refuse)).toThrow('registered already');
    dispose();
    const disposeAgain = router.handleCommand('stop_agent', refuse);
    dispose();
    expect([typeof router.command('stop_agent'), router.size]).toEqual(['function', 1]);
    disposeAgain();
    expect([router.command('stop_agent'), router.size]).toEqual([undefined, 0]);
  });
});
