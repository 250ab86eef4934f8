// @ts-check
// Many connections that read slowly, in a process of their own: what they cost shows at the server alone.
import { WebSocket } from 'ws';

/**
 * @typedef {object} Crowd What the process is sent.
 * @property {string} url
 * @property {readonly string[]} tokens One for each user.
 * @property {number} tabs Connections of each user.
 */

const BATCH = 50;
const BURST_MS = 50;
const REST_MS = 3_000;

/** How a reader reads, once it is connected. Nothing at all, at a rate, or everything there is now and then. */
const MANNERS = [
  /** @param {WebSocket} socket */
  (socket) => socket.pause(),
  /** @param {WebSocket} socket */
  (socket) => readAt(socket, 1_000),
  /** @param {WebSocket} socket */
  (socket) => readAt(socket, 100_000),
  readInBursts,
];

/**
 * One frame after the other, as far apart as a line of this rate would bring them.
 * @param {WebSocket} socket
 * @param {number} bytesPerSecond
 */
function readAt(socket, bytesPerSecond) {
  socket.on('message', (/** @type {Buffer} */ data) => {
    socket.pause();
    setTimeout(() => socket.resume(), (data.length / bytesPerSecond) * 1_000);
  });
}

/** @param {WebSocket} socket */
function readInBursts(socket) {
  socket.pause();
  setTimeout(() => {
    socket.resume();
    setTimeout(() => readInBursts(socket), BURST_MS);
  }, REST_MS);
}

/** @param {WebSocket} socket */
function acknowledge(socket) {
  socket.on('message', (/** @type {Buffer} */ data) => {
    const text = data.toString('latin1');
    const seq = /^(\d+)/.exec(text.slice(text.lastIndexOf('"seq":') + 6))?.[1];
    if (text.includes('agent_delta') && seq !== undefined) socket.send(`{"type":"ack","seq":${seq}}`);
  });
}

/**
 * @param {string} url
 * @param {string} token
 * @param {number} index
 */
async function open(url, token, index) {
  const address = new URL('/ws?seq=0', url.replace('http', 'ws'));
  const headers = { authorization: `Bearer ${token}` };
  const socket = new WebSocket(address, ['runwire.v1'], { perMessageDeflate: false, headers });
  socket.on('error', () => undefined);
  acknowledge(socket);
  await new Promise((resolve, reject) => {
    socket.once('message', resolve);
    socket.once('close', (code) => reject(new Error(`closed ${code} before it was established`)));
  });
  MANNERS[index % MANNERS.length]?.(socket);
}

process.on('message', async (/** @type {Crowd} */ { url, tokens, tabs }) => {
  const all = tokens.flatMap((token) => Array.from({ length: tabs }, () => token));
  for (let at = 0; at < all.length; at += BATCH) {
    await Promise.all(all.slice(at, at + BATCH).map((token, index) => open(url, token, at + index)));
  }
  process.send?.('connected');
});
// Gone with whoever asked for it.
process.on('disconnect', () => process.exit(0));
