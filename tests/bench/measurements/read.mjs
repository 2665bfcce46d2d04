// SPDX-License-Identifier: Apache-2.0
// Reading a file into rows, every field unescaped, against `wc -l` of the same file.
import { spawnSync } from 'node:child_process';
import { closeSync, existsSync, openSync, renameSync } from 'node:fs';
import { join } from 'node:path';

import { figure } from '../lib/figure.mjs';
import { median } from '../lib/machine.mjs';

const shapes = {
  'read-csv-quoted': { shape: 'csv', extension: 'csv', target: 3.5 },
  'read-csv-plain': { shape: 'csvplain', extension: 'csv', target: 2.5 },
  'read-jsonl': { shape: 'jsonl', extension: 'jsonl', target: 6.5 },
};

// A file of 1 GB, made once.
export function makeLargeInput(place, shape, extension) {
  const bytes = place.quick ? 200_000_000 : 1_000_000_000;
  const path = join(place.inputs, `${shape}-${bytes}.${extension}`);
  if (!existsSync(path)) {
    const file = openSync(`${path}.part`, 'w');
    const made = spawnSync(place.program('generate_rows'), [shape, String(bytes)], { stdio: ['ignore', file, 'ignore'] });
    closeSync(file);
    if (made.status !== 0) {
      throw new Error('generate_rows failed');
    }
    renameSync(`${path}.part`, path);
  }
  return path;
}

async function read(place, name) {
  const { shape, extension, target } = shapes[name];
  const path = makeLargeInput(place, shape, extension);
  const count = () => place.runOnce(() => ['wc', '-l', path]);
  await count();  // into the page cache
  const ours = [];
  const theirs = [];
  for (let round = 0; round < 3; ++round) {
    ours.push((await place.runOnce(() => [place.program('read_rows'), path])).cpu);
    theirs.push((await count()).cpu);
  }
  return [figure(name, median(ours) / median(theirs), {
    target,
    note: `read_rows ${median(ours).toFixed(2)} s, wc ${median(theirs).toFixed(2)} s`,
    rounds: { read_rows: ours, wc: theirs },
  })];
}

export const measurements = Object.fromEntries(Object.keys(shapes).map((name) => [name, (place) => read(place, name)]));
