// SPDX-License-Identifier: Apache-2.0
// How long it takes until the first request leaves: at the start on a large input, and when a job with
// a million finished rows is resumed.
import { rmSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:net';
import { join } from 'node:path';

import { figure } from '../lib/figure.mjs';
import { makeInput, review, runArguments } from '../lib/job.mjs';
import { median } from '../lib/machine.mjs';
import { makeLargeInput } from './read.mjs';

// Takes requests and never answers. `firstByte` gives the monotonic time of the next one's arrival.
async function listen(port = 0) {
  let heard = () => {};
  const sockets = new Set();
  const server = createServer((socket) => {
    sockets.add(socket);
    socket.on('error', () => {}).on('close', () => sockets.delete(socket));
    socket.once('data', () => heard(process.hrtime.bigint()));
  });
  await new Promise((resolve, reject) => { server.once('error', reject).listen(port, '127.0.0.1', resolve); });
  return {
    url: `http://127.0.0.1:${server.address().port}/v1`,
    firstByte: () => new Promise((resolve) => { heard = resolve; }),
    close() {
      sockets.forEach((socket) => socket.destroy());
      server.close();
    },
  };
}

// Milliseconds from the start of the command to the first byte that it sends. Each has a listener of
// its own: what a killed command left in a queue would count for the next one.
async function firstRequestMs(place, { port, home }, makeWords) {
  const listener = await listen(port);
  try {
    const first = listener.firstByte();
    const command = place.start(makeWords(listener.url), { home, statuses: [128 + 9] });
    const at = await Promise.race([first, command.ended.then(() => { throw new Error('it ended without a request'); })]);
    command.stop();
    return (Number(at) - (await command.ended).started_ns) / 1e6;
  } finally {
    listener.close();
  }
}

async function start(place) {
  const input = makeLargeInput(place, 'csv', 'csv');
  const times = [];
  for (let round = 0; round < 6; ++round) {
    const home = place.fresh();
    times.push(await firstRequestMs(place, { home }, (url) => [place.batchllm, ...runArguments({
      input, url, concurrency: 64, output: join(home, 'out.jsonl'),
    })]));
    rmSync(home, { recursive: true, force: true });
  }
  times.shift();  // what it took to get the program into the page cache
  return [figure('start', median(times), { unit: 'ms', target: 30, note: 'to the first request, 1 GB of CSV', rounds: { ms: times } })];
}

async function resume(place) {
  const rows = place.quick ? 100_000 : 1_000_000;
  const input = makeInput(join(place.inputs, `rows-${rows + 100}.csv`), rows + 100);
  const home = place.fresh();
  // The row behind the last one wanted is refused with 401, which stops a run and loses nothing.
  const script = join(home, 'script.jsonl');
  const marker = review(rows + 65).slice(-15);
  writeFileSync(script, `${JSON.stringify({ match: marker, status: 401, error: 'no more for this key' })}\n`);
  const simulator = await place.simulator(['--script', script]);
  const words = [place.batchllm, ...runArguments({
    input, url: simulator.url, concurrency: 64, output: join(home, 'out.jsonl'),
  })];
  await place.run(words, { home, statuses: [6] });
  await simulator.stop();
  const port = Number(new URL(simulator.url).port);
  const times = [];
  for (let round = 0; round < 3; ++round) {
    times.push(await firstRequestMs(place, { port, home }, () => [place.batchllm, 'resume']));
  }
  rmSync(home, { recursive: true, force: true });
  return [figure('resume', median(times), {
    unit: 'ms', target: 1000, note: `to the first new request, ${rows} rows finished`, rounds: { ms: times },
  })];
}

export const measurements = { start, resume };
