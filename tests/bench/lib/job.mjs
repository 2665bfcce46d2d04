// SPDX-License-Identifier: Apache-2.0
// The one job that everybody does: a row of about 250 bytes, a request body of about 550.
import { closeSync, existsSync, openSync, renameSync, writeSync } from 'node:fs';

export const job = {
  apiKey: 'sk-simulated-0123456789abcdefghijklmnopqrstuvwxyz',
  model: 'gpt-4o-mini',
  system: 'You are a careful annotator. Reply with one label.',
  prompt: 'Classify the sentiment of the following product review as POSITIVE, NEGATIVE or NEUTRAL. '
    + 'Answer with the label only.\n\nReview: {review}',
};

export function review(row) {
  return 'I bought this laptop three weeks ago & love it. Battery lasts all day, the keyboard feels solid, '
    + 'and the screen is bright enough to work outside. Shipping took a little longer than promised, '
    + `but support kept me informed. Order ${String(row).padStart(9, '0')}`;
}

// What batchllm sends for a row, byte for byte (tests/bench checks that it does).
export function requestBody(row) {
  return JSON.stringify({
    model: job.model,
    messages: [
      { role: 'system', content: job.system },
      { role: 'user', content: job.prompt.replace('{review}', review(row)) },
    ],
    temperature: 0,
    max_tokens: 64,
  });
}

// Arguments of `batchllm run` for the job.
export function runArguments({ input, output, url, concurrency, more = [] }) {
  return ['run', input, '--model', `openai/${job.model}`, '--base-url', url, '--system', job.system,
          '--prompt', job.prompt, '--temperature', '0', '--max-tokens', '64', '--concurrency', String(concurrency),
          '-o', output, '--yes', ...more];
}

// Writes a CSV file with so many rows, once.
export function makeInput(path, rows) {
  if (existsSync(path)) {
    return path;
  }
  const file = openSync(`${path}.part`, 'w');
  let text = 'id,review\n';
  for (let row = 1; row <= rows; ++row) {
    text += `${row},"${review(row)}"\n`;
    if (text.length > 1 << 20) {
      writeSync(file, text);
      text = '';
    }
  }
  writeSync(file, text);
  closeSync(file);
  renameSync(`${path}.part`, path);
  return path;
}
