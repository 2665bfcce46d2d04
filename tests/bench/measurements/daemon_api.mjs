// SPDX-License-Identifier: Apache-2.0
// What the service takes while it serves: a thousand clients that follow a job's events, and the
// time of its answers while jobs run flat out.
import net from 'node:net';
import { join } from 'node:path';

import { jobOptions, withDaemon } from '../lib/daemon.mjs';
import { figure } from '../lib/figure.mjs';
import { makeInput, review } from '../lib/job.mjs';
import { median, sleep } from '../lib/machine.mjs';
import { later } from './daemon_submit.mjs';

const followers = 1000;

const queuedJob = (url) => ({ input: { rows: [{ review: review(1) }] }, options: jobOptions(url, 8), not_before: later });

// Follows a job's events from its second on. `seen` is the clock when an event's number was last read.
function follow(daemon, id) {
  const follower = { text: '', seen: new Map(), socket: net.connect(daemon.socket) };
  follower.open = new Promise((resolve, reject) => {
    follower.socket.once('error', reject).once('data', resolve);
  });
  follower.socket.on('data', (piece) => {
    follower.text = (follower.text + piece).slice(-2000);
    const last = /[^]*\nid: (\d+)\n/.exec(follower.text);
    if (last && !follower.seen.has(last[1])) {
      follower.seen.set(last[1], performance.now());
    }
  });
  follower.socket.write(`GET /api/v1/jobs/${id}/events?after=1 HTTP/1.1\r\nHost: localhost\r\nAccept: text/event-stream\r\n\r\n`);
  return follower;
}

// Milliseconds from a write to its event at the last of all who follow. From its sending, which is before
// it is durable and answered: the answer is read by the same loop as the events, and may come last.
async function spread(daemon, all, id, priority) {
  const sent = performance.now();
  const { last_event: number } = await daemon.ask('PATCH', `/api/v1/jobs/${id}`, { priority });
  const times = () => all.map((one) => one.seen.get(String(number)));
  while (times().includes(undefined)) {
    if (performance.now() - sent > 10_000) {
      throw new Error(`${times().filter((at) => at === undefined).length} clients did not get event ${number}`);
    }
    await sleep(1);
  }
  return Math.max(...times()) - sent;
}

async function sse(place) {
  return withDaemon(place, {}, async (daemon) => {
    const job = await daemon.submit(queuedJob('http://127.0.0.1:9/v1'));
    await sleep(500);
    const before = daemon.residentMb();
    const all = Array.from({ length: followers }, () => follow(daemon, job.id));
    try {
      await Promise.all(all.map((one) => one.open));
      await sleep(500);
      const idle = daemon.residentMb() - before;
      const times = [];
      for (let priority = 1; priority <= 2 * place.rounds + 1; ++priority) {
        times.push(await spread(daemon, all, job.id, priority));
      }
      const after = daemon.residentMb() - before;
      return [
        figure('daemon-sse-memory', Math.max(idle, after), {
          unit: 'MB', target: 30, note: `${followers} clients more than none: ${idle.toFixed(1)} MB idle, ${after.toFixed(1)} MB after events`,
        }),
        figure('daemon-sse-spread', Math.max(...times), {
          unit: 'ms', target: 100, note: `from the write to the last of ${followers} clients, the slowest of ${times.length}; `
            + `median ${median(times).toFixed(1)} ms`, rounds: { ms: times },
        }),
      ];
    } finally {
      all.forEach((one) => one.socket.destroy());
    }
  });
}

// Eight jobs run without a pause on every core that the simulator leaves; answers come meanwhile.
async function api(place) {
  const rows = 1_000_000;
  const input = makeInput(join(place.inputs, `rows-${rows}.csv`), rows);
  const simulator = await place.simulator();
  try {
    return await withDaemon(place, {}, async (daemon) => {
      const jobs = [];
      for (let count = 0; count < 8; ++count) {
        jobs.push(await daemon.submit({ input: { path: input }, options: jobOptions(simulator.url, 256) }));
      }
      while ((await daemon.ask('GET', '/health')).queue.running < jobs.length) {
        await sleep(20);
      }
      await sleep(1000);
      const rounds = [];
      for (let round = 0; round < place.rounds; ++round) {
        rounds.push(await daemon.load(place, [
          ['GET', `/api/v1/jobs/${jobs[round].id}`],
          ['GET', '/api/v1/jobs'],
          ['POST', '/api/v1/jobs', queuedJob(simulator.url)],
        ], { clients: 16, seconds: place.quick ? 4 : 10, rate: 60 }));
      }
      const still = (await daemon.ask('GET', '/health')).queue.running;
      if (still < jobs.length) {
        throw new Error(`only ${still} jobs still ran at the end`);
      }
      await Promise.all(jobs.map((job) => daemon.ask('POST', `/api/v1/jobs/${job.id}/cancel`)));
      const p95 = median(rounds.map((one) => one.p95_ms));
      return [figure('daemon-api', p95, {
        unit: 'ms', target: 20, note: `p95 of a job, the list and a submission, 20/s each, while ${jobs.length} jobs run; `
          + `p50 ${median(rounds.map((one) => one.p50_ms)).toFixed(2)} ms, p99 ${median(rounds.map((one) => one.p99_ms)).toFixed(1)} ms`,
        rounds: { p95_ms: rounds.map((one) => one.p95_ms) },
      })];
    });
  } finally {
    await simulator.stop();
  }
}

export const measurements = { 'daemon-sse': sse, 'daemon-api': api };
