// @ts-check
// Loaded into every server of the tests: it ends when the process that started it is gone, however that went.
import { Socket } from 'node:net';

const parent = new Socket({ fd: 0, readable: true, writable: false });
parent.on('error', () => process.kill(process.pid, 'SIGKILL'));
parent.on('end', () => process.kill(process.pid, 'SIGKILL'));
parent.resume();
parent.unref();
