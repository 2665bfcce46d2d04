// SPDX-License-Identifier: Apache-2.0
// Rows in a second: of a job that the service runs against `batchllm run` of the same file, and of
// eight jobs at once against one of the same total. The clock counts, from the submission or the
// start of the command to the end.
import { join } from 'node:path';

import { jobOptions, withDaemon } from '../lib/daemon.mjs';
import { figure } from '../lib/figure.mjs';
import { makeInput, runArguments } from '../lib/job.mjs';
import { clientCore, median } from '../lib/machine.mjs';

const concurrency = 256;  // of the lane: all jobs of the service together
const parts = 8;

async function secondsOf(work) {
  const begin = performance.now();
  await work();
  return (performance.now() - begin) / 1000;
}

// The ways to ask the same number of rows: the command, the service with one job, the service with
// eight; each gives its seconds. A simulator of its own for each, as connecting to an address with
// many connections in TIME_WAIT takes longer.
function waysToRun(place, latency, whole, part) {
  const alone = async (work) => {
    const simulator = await place.simulator(latency);
    try {
      return await work(simulator.url);
    } finally {
      await simulator.stop();
    }
  };
  const through = (inputs) => alone((url) => withDaemon(place, { core: clientCore }, (daemon) => secondsOf(async () => {
    const options = jobOptions(url, concurrency);
    const jobs = await Promise.all(inputs.map((path) => daemon.submit({ input: { path }, options })));
    await Promise.all(jobs.map((job) => daemon.finished(job.id)));
  })));
  return {
    run: () => alone((url) => place.runOnce((home) => [place.batchllm, ...runArguments({
      input: whole, url, concurrency, output: join(home, 'out.jsonl'),
    })]).then((used) => used.wall)),
    one: () => through([whole]),
    eight: () => through(Array(parts).fill(part)),
  };
}

async function rows(place, name, latency) {
  const count = place.quick ? 40_000 : 200_000;
  const whole = makeInput(join(place.inputs, `rows-${count}.csv`), count);
  const part = makeInput(join(place.inputs, `rows-${count / parts}.csv`), count / parts);
  const ways = Object.entries(waysToRun(place, latency, whole, part));
  const seconds = Object.fromEntries(ways.map(([way]) => [way, []]));
  for (let round = 0; round < place.rounds + 2; ++round) {
    for (const [way, run] of ways) {
      seconds[way].push(await run());
    }
    ways.push(ways.shift());  // who comes later finds the disk busy with what the others wrote
  }
  const show = (way) => `${(count / median(seconds[way])).toFixed(0)} rows/s`;
  return [
    figure(`daemon-rows-${name}`, median(seconds.run) / median(seconds.one), {
      least: 0.95, note: `a job ${show('one')}, run ${show('run')}, ${count} rows`, rounds: seconds,
    }),
    figure(`daemon-jobs-${name}`, median(seconds.one) / median(seconds.eight), {
      least: 0.95, note: `${parts} jobs at once ${show('eight')}, one of the same total ${show('one')}`, rounds: seconds,
    }),
  ];
}

export const measurements = {
  'daemon-rows-plain': (place) => rows(place, 'plain', []),
  'daemon-rows-latency': (place) => rows(place, 'latency', ['--latency', 'uniform:5ms,15ms']),
};
