// SPDX-License-Identifier: Apache-2.0
// 4,096 in flight at a latency of 200 to 1,500 ms: what the tool adds to the time that the provider
// takes, and what it costs.
import { join } from 'node:path';

import { figure, micro, skipped } from '../lib/figure.mjs';
import { makeInput } from '../lib/job.mjs';
import { median } from '../lib/machine.mjs';
import { missingNpm, npmClient } from '../lib/peers.mjs';
import { batchllm } from './cpu.mjs';

const concurrency = 4096;
const latency = { least: 0.2, most: 1.5 };

// Seconds that the latencies themselves take: each row goes to the place that is free first. The mean
// of some draws, as the simulator's own are not known here.
function idealWall(rows) {
  let state = 12345;
  const draw = () => {
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
    return latency.least + (latency.most - latency.least) * (state / 2 ** 32);
  };
  const walls = [];
  for (let round = 0; round < 5; ++round) {
    const ends = [];  // of what is in flight, in buckets of a millisecond
    let flying = 0;
    let last = 0;
    let at = 0;
    for (let row = 0; row < rows; ++row) {
      while (flying === concurrency) {
        flying -= ends[at] ?? 0;
        ends[at] = 0;
        at += flying === concurrency ? 1 : 0;
      }
      const end = at + Math.round(draw() * 1000);
      ends[end] = (ends[end] ?? 0) + 1;
      last = Math.max(last, end);
      ++flying;
    }
    walls.push(last / 1000);
  }
  return walls.reduce((sum, wall) => sum + wall) / walls.length;
}

async function latency4096(place) {
  const rows = place.quick ? 12_288 : 24_576;
  const input = makeInput(join(place.inputs, `rows-${rows}.csv`), rows);
  // Each client of each round has a server of its own: connecting to an address with thousands of
  // connections in TIME_WAIT takes the kernel longer.
  const alone = async (client) => {
    const simulator = await place.simulator(['--latency', 'uniform:200ms,1500ms']);
    try {
      return await client(place, { url: simulator.url, input, rows, concurrency });
    } finally {
      await simulator.stop();
    }
  };
  const ours = [];
  const theirs = [];
  for (let round = 0; round < place.rounds; ++round) {
    ours.push(await alone(batchllm));
    if (!missingNpm()) {
      theirs.push(await alone(npmClient));
    }
  }
  const wall = median(ours.map((used) => used.wall));
  const ideal = idealWall(rows);
  const perRow = median(ours.map((used) => used.perRow));
  const figures = [figure('latency-4096-wall', wall / ideal, {
    target: 1.05,
    note: `${rows} rows in ${wall.toFixed(2)} s, the latencies take ${ideal.toFixed(2)} s`,
    rounds: { wall: ours.map((used) => used.wall), ideal: [ideal] },
  })];
  if (theirs.length === 0) {
    return [...figures, skipped('latency-4096-cpu', missingNpm())];
  }
  const npm = median(theirs.map((used) => used.perRow));
  return [...figures, figure('latency-4096-cpu', perRow / npm, {
    target: 1 / 12,
    note: `batchllm ${micro(perRow)} a row, npm ${micro(npm)}: 1/${(npm / perRow).toFixed(1)}`,
    rounds: { batchllm: ours.map((used) => used.perRow), npm: theirs.map((used) => used.perRow) },
  })];
}

export const measurements = { 'latency-4096': latency4096 };
