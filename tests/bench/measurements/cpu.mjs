// SPDX-License-Identifier: Apache-2.0
// Processor time for each row of the whole `batchllm run` process, CSV in and JSONL out, against wrk
// posting the same bytes and against the npm client doing the same job.
import { createServer } from 'node:http';
import { join } from 'node:path';

import { figure, micro, skipped } from '../lib/figure.mjs';
import { job, makeInput, requestBody, runArguments } from '../lib/job.mjs';
import { median } from '../lib/machine.mjs';
import { missingNginx, missingNpm, missingWrk, npmClient, wrk } from '../lib/peers.mjs';

const answer = JSON.stringify({
  id: 'chatcmpl-1', object: 'chat.completion', created: 1700000000, model: job.model,
  choices: [{ index: 0, message: { role: 'assistant', content: 'POSITIVE', refusal: null }, logprobs: null, finish_reason: 'stop' }],
  usage: { prompt_tokens: 100, completion_tokens: 2, total_tokens: 102 },
  system_fingerprint: 'fp_000000000', service_tier: 'default', padding: 'x'.repeat(400),
});

export async function batchllm(place, { url, input, rows, concurrency, more = [], statuses }) {
  const used = await place.runOnce((home) => [place.batchllm, ...runArguments({
    input, url, concurrency, more, output: join(home, 'out.jsonl'),
  })], { statuses });
  return { ...used, perRow: used.cpu / rows };
}

// The figures compare like with like only while batchllm sends what wrk sends.
export async function checkSameBody(place) {
  const input = makeInput(join(place.inputs, 'rows-1.csv'), 1);
  let body = '';
  const server = createServer((request, response) => {
    request.setEncoding('utf8').on('data', (piece) => { body += piece; });
    request.on('end', () => response.setHeader('Content-Type', 'application/json').end(answer));
  });
  await new Promise((resolve) => { server.listen(0, '127.0.0.1', resolve); });
  try {
    await batchllm(place, { url: `http://127.0.0.1:${server.address().port}/v1`, input, rows: 1, concurrency: 1 });
  } finally {
    server.closeAllConnections();
    server.close();
  }
  if (body !== requestBody(1)) {
    throw new Error(`batchllm and its peers would not send the same body: ${body}`);
  }
}

// `startServer` is called for each run: connecting to an address with thousands of connections in
// TIME_WAIT takes the kernel longer.
async function againstWrk(place, name, startServer, concurrency, target) {
  const alone = async (client, options) => {
    const server = await startServer();
    try {
      return await client(place, { url: server.url, concurrency, ...options });
    } finally {
      await server.stop();
    }
  };
  const rows = place.quick ? 20_000 : 100_000;
  const input = makeInput(join(place.inputs, `rows-${rows}.csv`), rows);
  const ours = [];
  const theirs = [];
  for (let round = 0; round < Math.max(place.rounds, 2); ++round) {
    ours.push((await alone(batchllm, { input, rows })).perRow);
    theirs.push((await alone(wrk, { seconds: place.quick ? 2 : 6 })).perRequest);
  }
  return figure(name, median(ours) / median(theirs), {
    target,
    note: `batchllm ${micro(median(ours))} a row, wrk ${micro(median(theirs))} a request`,
    rounds: { batchllm: ours, wrk: theirs },
  });
}

async function cpu(place, concurrency) {
  const names = [`cpu-${concurrency}`, `cpu-${concurrency}-nginx`];
  if (missingWrk()) {
    return names.map((name) => skipped(name, missingWrk()));
  }
  await checkSameBody(place);
  const figures = [];
  figures.push(await againstWrk(place, names[0], () => place.simulator(), concurrency, 3.2));
  if (missingNginx()) {
    return [...figures, skipped(names[1], missingNginx())];
  }
  figures.push(await againstWrk(place, names[1], () => place.nginx(answer), concurrency, null));
  return figures;
}

async function cpuNpm(place) {
  if (missingNpm()) {
    return [skipped('cpu-npm', missingNpm())];
  }
  const rows = place.quick ? 4_000 : 12_000;
  const input = makeInput(join(place.inputs, `rows-${rows}.csv`), rows);
  const simulator = await place.simulator();
  const ours = [];
  const theirs = [];
  for (let round = 0; round < place.rounds; ++round) {
    ours.push((await batchllm(place, { url: simulator.url, input, rows, concurrency: 64 })).perRow);
    theirs.push((await npmClient(place, { url: simulator.url, input, rows, concurrency: 64 })).perRow);
  }
  await simulator.stop();
  return [figure('cpu-npm', median(ours) / median(theirs), {
    target: 1 / 20,
    note: `batchllm ${micro(median(ours))} a row, npm ${micro(median(theirs))}: 1/${(median(theirs) / median(ours)).toFixed(1)}`,
    rounds: { batchllm: ours, npm: theirs },
  })];
}

export const measurements = {
  'cpu-64': (place) => cpu(place, 64),
  'cpu-4096': (place) => cpu(place, 4096),
  'cpu-npm': cpuNpm,
};
