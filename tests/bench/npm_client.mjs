// SPDX-License-Identifier: Apache-2.0
// The job of `batchllm run`, written as its users would write it with the openai package:
//   npm_client.mjs BASE_URL INPUT.csv OUTPUT.jsonl CONCURRENCY
import { createWriteStream, readFileSync } from 'node:fs';
import { finished } from 'node:stream/promises';

import OpenAI from 'openai';
import pLimit from 'p-limit';

import { job } from './lib/job.mjs';

const [baseURL, input, output, concurrency] = process.argv.slice(2);
const client = new OpenAI({ baseURL, apiKey: job.apiKey, timeout: 120_000 });
const limit = pLimit(Number(concurrency));
const out = createWriteStream(output);

// The input has two columns of which the second is quoted, without quotes inside.
const rows = readFileSync(input, 'utf8').split('\n').slice(1, -1).map((line) => {
  const comma = line.indexOf(',');
  return { id: line.slice(0, comma), review: line.slice(comma + 2, -1) };
});
await Promise.all(rows.map((row) => limit(async () => {
  const answer = await client.chat.completions.create({
    model: job.model,
    messages: [
      { role: 'system', content: job.system },
      { role: 'user', content: job.prompt.replace('{review}', row.review) },
    ],
    temperature: 0,
    max_tokens: 64,
  });
  out.write(`${JSON.stringify({ ...row, output: answer.choices[0].message.content })}\n`);
})));
out.end();
await finished(out);
