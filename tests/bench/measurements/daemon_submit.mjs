// SPDX-License-Identifier: Apache-2.0
// How fast the service takes jobs: the time of one submission at a steady rate, how many it makes
// durable with many clients against SQLite alone, and the claim in a long queue.
import { spawnSync } from 'node:child_process';
import { existsSync, rmSync } from 'node:fs';
import { join } from 'node:path';

import { jobOptions, withDaemon } from '../lib/daemon.mjs';
import { figure, skipped } from '../lib/figure.mjs';
import { makeInput, review } from '../lib/job.mjs';
import { median } from '../lib/machine.mjs';

const rate = 100;
const clients = 64;

// Jobs that are not to begin while submissions are measured: held until a time years from now.
export const later = '2099-01-01T00:00:00Z';

const smallRows = [1, 2, 3].map((id) => ({ id, review: review(id) }));

function submitFigure(name, rounds, what) {
  const p99 = median(rounds.map((one) => one.p99_ms));
  const p50 = median(rounds.map((one) => one.p50_ms));
  return figure(name, p99, {
    unit: 'ms',
    target: 5,
    note: `p99 at ${rate} submits/s, ${what}; p50 ${p50.toFixed(2)} ms, most ${Math.max(...rounds.map((one) => one.most_ms)).toFixed(1)} ms`,
    rounds: { p50_ms: rounds.map((one) => one.p50_ms), p99_ms: rounds.map((one) => one.p99_ms) },
  });
}

// Jobs of three rows, which run in the background as they come.
async function submit(place) {
  const seconds = place.quick ? 5 : 20;
  const simulator = await place.simulator();
  const options = jobOptions(simulator.url, 8);
  const inputs = {
    'daemon-submit-file': async (daemon) => ({ file_id: await daemon.upload(makeInput(join(place.inputs, 'rows-3.csv'), 3)) }),
    'daemon-submit-inline': async () => ({ rows: smallRows }),
  };
  const figures = [];
  try {
    for (const [name, makeJobInput] of Object.entries(inputs)) {
      const rounds = [];
      for (let round = 0; round < place.rounds; ++round) {
        rounds.push(await withDaemon(place, {}, async (daemon) => {
          const requests = [['POST', '/api/v1/jobs', { input: await makeJobInput(daemon), options }]];
          await daemon.load(place, requests, { clients: 1, seconds: 0.5 });  // connections, worker, first statements
          await daemon.idle();  // those jobs are not to run beside what is measured
          return daemon.load(place, requests, { clients: 32, seconds, rate });
        }));
      }
      figures.push(submitFigure(name, rounds, name.endsWith('file') ? 'a file that is there' : 'rows in the request'));
    }
  } finally {
    await simulator.stop();
  }
  return figures;
}

// What SQLite alone does with the rows that the service has written, in commits of the same size.
function rawRate(place, daemon, jobsPerCommit) {
  const target = join(daemon.home, 'raw.db');
  const ran = spawnSync(place.program('raw_submits'), [daemon.database, target, String(jobsPerCommit)], { encoding: 'utf8' });
  for (const end of ['', '-wal', '-shm']) {
    rmSync(target + end, { force: true });
  }
  if (ran.status !== 0) {
    throw new Error(ran.stderr);
  }
  const found = JSON.parse(ran.stdout);
  return found.jobs / found.seconds;
}

async function submitRate(place) {
  const seconds = place.quick ? 4 : 10;
  const options = jobOptions('http://127.0.0.1:9/v1', 8);
  const ours = [];
  const theirs = [];
  const groups = [];
  for (let round = 0; round < place.rounds; ++round) {
    await withDaemon(place, {}, async (daemon) => {
      const input = { file_id: await daemon.upload(makeInput(join(place.inputs, 'rows-3.csv'), 3)) };
      const before = (await daemon.ask('GET', '/health')).database;
      const requests = [['POST', '/api/v1/jobs', { input, options, not_before: later }]];
      const found = await daemon.load(place, requests, { clients, seconds });
      const after = (await daemon.ask('GET', '/health')).database;
      groups.push((after.writes - before.writes) / (after.commits - before.commits));
      ours.push(found.requests / found.seconds);
      theirs.push(rawRate(place, daemon, groups.at(-1)));
    });
  }
  return [figure('daemon-submit-rate', median(ours) / median(theirs), {
    least: 0.5,
    note: `${median(ours).toFixed(0)} durable submits/s of ${clients} clients, SQLite alone ${median(theirs).toFixed(0)}; `
      + `${median(groups).toFixed(1)} in a commit`,
    rounds: { daemon: ours, sqlite: theirs, jobs_per_commit: groups },
  })];
}

// The claim of the next job: the time among a million queued ones against that among a thousand.
async function claim(place) {
  const program = place.program('claim_bench');
  if (!existsSync(program)) {
    return [skipped('daemon-claim', 'claim_bench is not built')];
  }
  const many = place.quick ? 100_000 : 1_000_000;
  const folder = place.fresh();
  const ran = spawnSync(program, [folder, '1000', String(many)], { encoding: 'utf8' });
  rmSync(folder, { recursive: true, force: true });
  if (ran.status !== 0) {
    throw new Error(ran.stderr);
  }
  const found = JSON.parse(ran.stdout);
  return [figure('daemon-claim', found.ratio, { target: 1.5, note: `a claim among ${many} queued jobs against one among 1000`, rounds: found })];
}

export const measurements = { 'daemon-submit': submit, 'daemon-submit-rate': submitRate, 'daemon-claim': claim };
