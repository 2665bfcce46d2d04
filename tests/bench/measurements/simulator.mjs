// SPDX-License-Identifier: Apache-2.0
// `batchllm simulate` must never be what limits a run: its processor time for each request against
// nginx's, and 4,096 connections open at once, plain and TLS.
import { spawnSync } from 'node:child_process';
import { rmSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';

import { figure, skipped } from '../lib/figure.mjs';
import { mostDescriptors } from '../lib/machine.mjs';
import { missingNginx, missingWrk, wrk } from '../lib/peers.mjs';
import { makeCertificate } from './memory.mjs';

const here = dirname(dirname(fileURLToPath(import.meta.url)));

async function cpu(place) {
  const missing = missingWrk() ?? missingNginx();
  if (missing) {
    return [skipped('simulator-cpu', missing)];
  }
  const ran = spawnSync(process.execPath, [join(here, 'simulator_cpu.mjs'), place.batchllm, String(place.rounds)], { encoding: 'utf8' });
  if (ran.status !== 0) {
    throw new Error(ran.stderr);
  }
  const found = JSON.parse(ran.stdout);
  return [figure('simulator-cpu', found.ratio, {
    target: 3,
    note: `simulate ${found.simulator_us} us a request, nginx ${found.nginx_us} us`,
    rounds: { simulate_us: [found.simulator_us], nginx_us: [found.nginx_us] },
  })];
}

// How many of 4,096 connections are missing when all should be open.
async function connections(place, name, seconds, options) {
  const wanted = 4096;
  const simulator = await place.simulator(options);
  const { result, most } = await mostDescriptors(simulator.pid, wrk(place, { url: simulator.url, concurrency: wanted, seconds }));
  await simulator.stop();
  return figure(name, Math.max(0, wanted - most), {
    unit: 'count',
    target: 0,
    note: `of ${wanted} connections were not open; ${result.requests} requests${result.errors ? `, errors: ${result.errors}` : ''}`,
  });
}

async function manyConnections(place) {
  if (missingWrk()) {
    return [skipped('simulator-connections', missingWrk())];
  }
  const folder = place.fresh();
  const { cert, key } = makeCertificate(folder);
  const figures = [
    await connections(place, 'simulator-plain-4096', 8, []),
    // All 4,096 shake hands before the first is answered: seconds of both cores.
    await connections(place, 'simulator-tls-4096', 30, ['--tls-cert', cert, '--tls-key', key]),
  ];
  rmSync(folder, { recursive: true });
  return figures;
}

export const measurements = { 'simulator-cpu': cpu, 'simulator-connections': manyConnections };
