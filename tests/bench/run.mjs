// SPDX-License-Identifier: Apache-2.0
// Measures what batchllm promises, each figure as a ratio within one run, and says whether it is met:
//   node tests/bench/run.mjs [--quick] [--only NAME[,NAME…]] [--json FILE] [--build FOLDER] [--update-baseline]
// Clients run on core 0, servers on core 1; ratios are of the medians of interleaved rounds. `--quick`
// takes one round of less, for a first look. Needs Node 18, a build of preset `bench`, two cores; the
// peers are wrk, nginx and the packages of tests/bench/package.json, and valgrind counts instructions.
// What is missing is said and left out. A missed target does not fail the command: machines differ.
import { mkdirSync, writeFileSync } from 'node:fs';
import { availableParallelism, cpus } from 'node:os';
import { dirname, join, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';

import { tableHead, tableLine } from './lib/figure.mjs';
import { Workplace, load } from './lib/machine.mjs';

const root = dirname(dirname(dirname(fileURLToPath(import.meta.url))));
const kinds = ['cpu', 'latency', 'memory', 'read', 'start', 'instructions', 'simulator',
               'daemon_submit', 'daemon_rows', 'daemon_api', 'daemon_idle'];

async function allMeasurements() {
  const modules = await Promise.all(kinds.map((kind) => import(`./measurements/${kind}.mjs`)));
  return Object.assign({}, ...modules.map((module) => module.measurements));
}

// The names that were asked for; `cpu` stands for every one that begins with `cpu-`.
function chosen(all, only) {
  if (!only) {
    return Object.keys(all);
  }
  const wanted = only.split(',');
  const names = Object.keys(all).filter((name) => wanted.some((one) => name === one || name.startsWith(`${one}-`)));
  if (names.length === 0) {
    throw new Error(`--only ${only}: choose from ${Object.keys(all).join(', ')}`);
  }
  return names;
}

async function measureAll(place, all, names) {
  const figures = [];
  for (const name of names) {
    let found;
    try {
      found = await all[name](place);
    } catch (error) {
      found = [{ name, skipped: `it failed: ${error.message.trim()}`, failed: true }];
    }
    for (const one of found) {
      console.log(tableLine(one));
      figures.push(one);
    }
  }
  return figures;
}

async function main() {
  const { values } = parseArgs({
    options: {
      quick: { type: 'boolean', default: false },
      only: { type: 'string' },
      json: { type: 'string' },
      build: { type: 'string', default: join(root, 'build/bench') },
      'update-baseline': { type: 'boolean', default: false },
    },
  });
  if ((availableParallelism?.() ?? cpus().length) < 2) {
    throw new Error('two cores are needed: one for the client, one for the server');
  }
  const all = await allMeasurements();
  const names = chosen(all, values.only);
  const place = new Workplace({ build: resolve(values.build), quick: values.quick });
  place.updateBaseline = values['update-baseline'];
  const begun = { at: new Date().toISOString(), quick: values.quick, cpu: cpus()[0].model, load: load() };
  console.log(`${begun.cpu}, load ${begun.load}${values.quick ? ', quick' : ''}\n${tableHead}`);
  let figures = [];
  try {
    figures = await measureAll(place, all, names);
  } finally {
    await place.close();
  }
  const path = resolve(values.json ?? join(place.build, 'results.json'));
  mkdirSync(dirname(path), { recursive: true });
  writeFileSync(path, `${JSON.stringify({ schema: 'batchllm.bench/1', ...begun, figures }, null, 2)}\n`);
  const namesOf = (keep) => figures.filter(keep).map((one) => one.name).join(', ') || 'none';
  console.log(`\nMissed: ${namesOf((one) => one.met === false)}. Skipped: ${namesOf((one) => one.skipped)}. Written to ${path}`);
  process.exitCode = figures.some((one) => one.failed) ? 1 : 0;
}

try {
  await main();
} catch (error) {
  console.error(error.message);
  process.exit(2);
}
