// SPDX-License-Identifier: Apache-2.0
// Who batchllm is measured against: wrk and the openai package of npm.
import { existsSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';

import { job, requestBody } from './job.mjs';
import { hasCommand } from './machine.mjs';

const here = dirname(dirname(fileURLToPath(import.meta.url)));

export const missingWrk = () => (hasCommand('wrk') ? null : 'wrk is not installed');
export const missingNginx = () => (hasCommand('nginx') ? null : 'nginx is not installed');
export const missingNpm = () => (['openai', 'p-limit'].every((name) => existsSync(join(here, 'node_modules', name)))
  ? null : 'the npm packages are not installed: (cd tests/bench && npm install --no-package-lock)');

// One wrk run: requests made, and its processor seconds for each.
export async function wrk(place, { url, concurrency, seconds }) {
  return place.runOnce((home) => {
    const script = join(home, 'post.lua');
    writeFileSync(script, `wrk.method = "POST"
wrk.headers["Content-Type"] = "application/json"
wrk.headers["Authorization"] = "Bearer ${job.apiKey}"
wrk.body = [==[${requestBody(1)}]==]
`);
    return ['wrk', '-t1', `-c${concurrency}`, `-d${seconds}s`, '--timeout', '60s', '-s', script, `${url}/chat/completions`];
  }).then((used) => {
    const requests = Number(/(\d+) requests in/.exec(used.stdout)?.[1]);
    if (!requests || /Non-2xx/.test(used.stdout)) {
      throw new Error(`wrk says: ${used.stdout}`);
    }
    const errors = /Socket errors: (.*)/.exec(used.stdout)?.[1] ?? '';
    return { ...used, requests, errors, perRequest: used.cpu / requests };
  });
}

// The npm client's processor seconds for each row.
export async function npmClient(place, { url, input, rows, concurrency }) {
  const used = await place.runOnce((home) => [process.execPath, join(here, 'npm_client.mjs'), url, input,
                                              join(home, 'out.jsonl'), String(concurrency)]);
  return { ...used, perRow: used.cpu / rows };
}
