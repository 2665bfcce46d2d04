// SPDX-License-Identifier: Apache-2.0
// Peak memory: with 4,096 requests really in flight, plain and over verified TLS, and with a hundred
// times the rows.
import { spawnSync } from 'node:child_process';
import { rmSync } from 'node:fs';
import { join } from 'node:path';

import { figure, skipped } from '../lib/figure.mjs';
import { makeInput } from '../lib/job.mjs';
import { hasCommand, median, mostDescriptors } from '../lib/machine.mjs';
import { batchllm } from './cpu.mjs';

const concurrency = 4096;

// A certificate for 127.0.0.1, good for a day.
export function makeCertificate(folder) {
  const paths = { cert: join(folder, 'cert.pem'), key: join(folder, 'key.pem') };
  const made = spawnSync('openssl', ['req', '-x509', '-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:prime256v1',
                                     '-nodes', '-days', '1', '-subj', '/CN=localhost', '-addext',
                                     'subjectAltName=DNS:localhost,IP:127.0.0.1', '-keyout', paths.key, '-out', paths.cert],
                         { encoding: 'utf8' });
  if (made.status !== 0) {
    throw new Error(`openssl: ${made.stderr}`);
  }
  return paths;
}

async function inFlight(place, name, { target, server = [], client = [] }) {
  const rows = 12_288;
  const input = makeInput(join(place.inputs, `rows-${rows}.csv`), rows);
  const simulator = await place.simulator(['--latency', 'uniform:2s,3s', ...server]);
  const used = [];
  let most = 0;
  for (let round = 0; round < place.rounds; ++round) {
    const seen = await mostDescriptors(simulator.pid, batchllm(place, {
      url: simulator.url, input, rows, concurrency, more: client,
    }));
    used.push(seen.result.rssMb);
    most = Math.max(most, seen.most);
  }
  await simulator.stop();
  if (most < concurrency) {
    throw new Error(`${name}: only ${most} connections at once`);
  }
  return figure(name, median(used), { unit: 'MB', target, note: `${concurrency} in flight`, rounds: { rss: used } });
}

async function memoryTls(place) {
  if (!hasCommand('openssl')) {
    return [skipped('memory-4096-tls', 'openssl is not installed')];
  }
  const folder = place.fresh();
  const paths = makeCertificate(folder);
  const figures = [await inFlight(place, 'memory-4096-tls', {
    target: 360,
    server: ['--tls-cert', paths.cert, '--tls-key', paths.key],
    client: ['--ca-file', paths.cert],
  })];
  rmSync(folder, { recursive: true });
  return figures;
}

// The long run goes once: its peak hardly varies, and it takes minutes.
async function memoryRows(place) {
  const many = place.quick ? 200_000 : 1_000_000;
  const few = 10_000;
  const simulator = await place.simulator();
  const use = async (rows) => (await batchllm(place, {
    url: simulator.url, input: makeInput(join(place.inputs, `rows-${rows}.csv`), rows), rows, concurrency: 64,
  })).rssMb;
  const small = [await use(few), await use(few), await use(few)];
  const large = await use(many);
  await simulator.stop();
  return [figure('memory-rows', large / median(small), {
    target: 1.05,
    note: `${many} rows ${large.toFixed(1)} MB, ${few} rows ${median(small).toFixed(1)} MB`,
    rounds: { few: small, many: [large] },
  })];
}

export const measurements = {
  'memory-4096': async (place) => [await inFlight(place, 'memory-4096', { target: 110 })],
  'memory-4096-tls': memoryTls,
  'memory-rows': memoryRows,
};
