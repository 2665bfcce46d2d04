// SPDX-License-Identifier: Apache-2.0
// Requests over the daemon's UNIX socket, and the simulator that plays the provider.
import { spawn } from 'node:child_process';
import http from 'node:http';
import { createInterface } from 'node:readline';

// Sends a request and reads the whole answer. `body`: a value to send as JSON, or a Buffer. The
// answer's `body` is its JSON, or undefined.
export function send(socketPath, { method, target, headers = {}, body, type, timeout = 60_000 }) {
  const bytes = body === undefined || Buffer.isBuffer(body) ? body : Buffer.from(JSON.stringify(body));
  return new Promise((resolve, reject) => {
    const request = http.request({
      socketPath,
      method,
      path: target,
      headers: {
        Host: 'localhost',
        ...headers,
        ...(bytes && { 'Content-Type': type, 'Content-Length': bytes.length }),
      },
    });
    request.setTimeout(timeout, () => request.destroy(new Error(`${method} ${target}: no answer within ${timeout} ms`)));
    request.on('error', reject);
    request.on('response', async (response) => {
      try {
        const parts = [];
        for await (const part of response) {
          parts.push(part);
        }
        resolve(answerOf(response, Buffer.concat(parts)));
      } catch (error) {
        reject(error);
      }
    });
    request.end(bytes);
  });
}

function answerOf(response, bytes) {
  const text = bytes.toString('utf8');
  const isJson = /[/+]json\s*(;|$)/.test(response.headers['content-type'] ?? '');
  return {
    status: response.statusCode,
    headers: response.headers,
    bytes,
    text,
    body: isJson && text !== '' ? JSON.parse(text) : undefined,
  };
}

// The events of a text/event-stream: {id, event, data}; comments and `retry` are left out.
export function eventsOf(text) {
  return text
    .split(/\r?\n\r?\n/)
    .map((block) => {
      const fields = {};
      for (const line of block.split(/\r?\n/)) {
        const colon = line.indexOf(':');
        if (colon > 0) {
          fields[line.slice(0, colon)] = line.slice(colon + 1).replace(/^ /, '');
        }
      }
      return fields;
    })
    .filter((fields) => fields.data !== undefined);
}

// A form with one file part.
export function formOf(name, media, bytes) {
  const boundary = '----batchllm-contract-5f1b';
  const head = `--${boundary}\r\nContent-Disposition: form-data; name="file"; filename="${name}"\r\nContent-Type: ${media}\r\n\r\n`;
  return {
    type: `multipart/form-data; boundary=${boundary}`,
    body: Buffer.concat([Buffer.from(head), bytes, Buffer.from(`\r\n--${boundary}--\r\n`)]),
  };
}

// Starts `batchllm simulate` and waits for its address: {baseUrl, stop()}.
export async function startSimulator(program, options = []) {
  const child = spawn(program, ['simulate', '--port', '0', ...options], { stdio: ['ignore', 'pipe', 'inherit'] });
  const ended = new Promise((resolve) => child.once('exit', resolve));
  const failed = new Promise((_, reject) => {
    child.once('error', reject);
    child.once('exit', (code) => reject(new Error(`${program} simulate ended with ${code}`)));
  });
  failed.catch(() => {});
  const lines = createInterface({ input: child.stdout });
  const baseUrl = await Promise.race([new Promise((resolve) => lines.once('line', resolve)), failed]);
  return {
    baseUrl,
    async stop() {
      child.kill('SIGTERM');
      await ended;
    },
  };
}
