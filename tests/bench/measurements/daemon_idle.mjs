// SPDX-License-Identifier: Apache-2.0
// A service with nothing to do: memory, also when a crowd has come and gone, wake-ups, and its end.
import net from 'node:net';

import { Daemon } from '../lib/daemon.mjs';
import { figure } from '../lib/figure.mjs';
import { median, sleep } from '../lib/machine.mjs';

const crowd = 1000;
const afterMb = 20;       // the C library keeps up to 40 MB of address space as stacks of ended threads
const settleMs = 15_000;  // threads without work stay for ten seconds

// A thousand clients at once, each of which gets an answer and leaves.
async function comeAndGo(daemon) {
  const sockets = await Promise.all(Array.from({ length: crowd }, () => new Promise((resolve, reject) => {
    const socket = net.connect(daemon.socket);
    socket.once('error', reject).once('data', () => resolve(socket));
    socket.write('GET /health HTTP/1.1\r\nHost: localhost\r\n\r\n');
  })));
  await Promise.all(sockets.map((socket) => new Promise((resolve) => { socket.once('close', resolve).destroy(); })));
}

async function idle(place) {
  const seconds = place.quick ? 10 : 60;
  const daemon = await Daemon.start(place);
  daemon.leave();
  await sleep(settleMs);
  const memory = daemon.residentMb();
  const sleeps = daemon.sleeps();
  await sleep(seconds * 1000);
  const wakeUps = daemon.sleeps() - sleeps;
  await comeAndGo(daemon);
  await sleep(settleMs);
  const after = daemon.residentMb();
  const ends = [await daemon.stop()];
  while (ends.length < 2 * place.rounds + 1) {
    const another = await Daemon.start(place);
    await sleep(200);
    ends.push(await another.stop());
  }
  return [
    figure('daemon-idle-memory', memory, { unit: 'MB', target: 15, note: 'resident' }),
    figure('daemon-idle-after', after, { unit: 'MB', target: afterMb, note: `resident, after ${crowd} connections have come and gone, ${settleMs / 1000} s later` }),
    figure('daemon-idle-wakeups', wakeUps, { unit: 'count', target: 0, note: `in ${seconds} s, of all its threads` }),
    figure('daemon-stop', Math.max(...ends), {
      unit: 'ms', target: 100, note: `SIGTERM to the end, the slowest of ${ends.length}; median ${median(ends).toFixed(1)} ms`, rounds: { ms: ends },
    }),
  ];
}

export const measurements = { 'daemon-idle': idle };
