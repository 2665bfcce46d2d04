// SPDX-License-Identifier: Apache-2.0
// Instructions for each row under callgrind, from two runs of different length. They hardly vary, so a
// growth shows that no clock would. The baseline is checked in; it is of Debian 12's gcc and libraries.
import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';

import { figure, skipped } from '../lib/figure.mjs';
import { makeInput, runArguments } from '../lib/job.mjs';
import { hasCommand } from '../lib/machine.mjs';

const name = 'instructions';
const baselinePath = join(dirname(dirname(fileURLToPath(import.meta.url))), 'instructions.json');
const mostGrowth = 1.03;

async function collected(place, url, rows) {
  const input = makeInput(join(place.inputs, `rows-${rows}.csv`), rows);
  const used = await place.runOnce((home) => [
    'valgrind', '--tool=callgrind', '--fair-sched=yes', `--callgrind-out-file=${join(home, 'callgrind.out')}`,
    place.batchllm, ...runArguments({ input, url, concurrency: 64, output: join(home, 'out.jsonl') }),
  ]);
  return Number(/Collected : (\d+)/.exec(used.stderr)[1]);
}

async function instructions(place) {
  if (!hasCommand('valgrind')) {
    return [skipped(name, 'valgrind is not installed')];
  }
  const [few, many] = [2_000, 6_000];
  const simulator = await place.simulator();
  const start = await collected(place, simulator.url, few);
  const end = await collected(place, simulator.url, many);
  await simulator.stop();
  const perRow = Math.round((end - start) / (many - few));
  if (place.updateBaseline) {
    writeFileSync(baselinePath, `${JSON.stringify({ instructions_per_row: perRow, concurrency: 64, rows: [few, many] }, null, 2)}\n`);
  }
  if (!existsSync(baselinePath)) {
    return [figure(name, perRow, { unit: 'count', note: 'no baseline: --update-baseline writes it' })];
  }
  const baseline = JSON.parse(readFileSync(baselinePath, 'utf8')).instructions_per_row;
  const change = `${((perRow / baseline - 1) * 100).toFixed(1)} % against the baseline of ${baseline}`;
  return [figure(name, perRow, {
    unit: 'count',
    target: Math.round(baseline * mostGrowth),
    note: perRow > baseline * mostGrowth ? `GREW by ${change}` : change,
    rounds: { collected: [start, end] },
  })];
}

export const measurements = { instructions };
