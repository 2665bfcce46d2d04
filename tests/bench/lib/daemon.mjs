// SPDX-License-Identifier: Apache-2.0
// A service with folders of its own, what it is asked, and what it takes of the machine.
import { spawn } from 'node:child_process';
import { readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import http from 'node:http';
import { join } from 'node:path';

import { job } from './job.mjs';
import { clientCore, sleep } from './machine.mjs';

const startMs = 15_000;

export class Daemon {
  #agent = new http.Agent({ keepAlive: true, maxSockets: 16 });
  #files = 0;

  // `core`: on that core alone, workers included; null: on all of them.
  static async start(place, { core = null, options = [] } = {}) {
    const home = place.fresh();
    const words = [join(place.build, 'bin/batchllmd'), '--no-config', ...options];
    const pinned = core === null ? words : ['taskset', '-c', String(core), ...words];
    const child = spawn(pinned[0], pinned.slice(1), { env: place.environment(home), stdio: ['ignore', 'ignore', 'pipe'] });
    const daemon = new Daemon(home, child);
    const deadline = Date.now() + startMs;
    while (!(await daemon.ask('GET', '/ready').catch(() => null))) {
      if (child.exitCode !== null || Date.now() > deadline) {
        throw new Error(`batchllmd did not start: ${daemon.log}`);
      }
      await sleep(10);
    }
    return daemon;
  }

  constructor(home, child) {
    this.home = home;
    this.child = child;
    this.pid = child.pid;
    this.socket = join(home, 'batchllm/daemon.sock');
    this.state = join(home, 'state/batchllm');
    this.database = join(this.state, 'daemon/queue.db');
    this.log = '';
    child.stderr.setEncoding('utf8').on('data', (piece) => { this.log = (this.log + piece).slice(-4000); });
    this.ended = new Promise((resolve) => { child.once('exit', resolve); });
  }

  // The answer's body, parsed. Anything but success is an Error.
  ask(method, path, body, headers = {}) {
    const text = body === undefined || typeof body === 'string' ? body : JSON.stringify(body);
    return new Promise((resolve, reject) => {
      const request = http.request({ socketPath: this.socket, agent: this.#agent, method, path, headers: {
        ...(text === undefined ? {} : { 'Content-Length': Buffer.byteLength(text) }), ...headers,
      } }, (response) => {
        let answer = '';
        response.setEncoding('utf8').on('data', (piece) => { answer += piece; });
        response.once('error', reject).once('end', () => {
          if (response.statusCode >= 300) {
            reject(new Error(`${method} ${path}: ${response.statusCode} ${answer}`));
            return;
          }
          resolve(answer === '' ? null : JSON.parse(answer));
        });
      });
      request.once('error', reject).end(text);
    });
  }

  submit(body) {
    return this.ask('POST', '/api/v1/jobs', body);
  }

  // Stores a file; its id.
  async upload(path) {
    const name = encodeURIComponent(path.split('/').pop());
    return (await this.ask('POST', `/api/v1/files?name=${name}`, readFileSync(path, 'utf8'), { 'Content-Type': 'text/csv' })).id;
  }

  // The job when it has ended; an Error when it did not end well.
  async finished(id) {
    for (;;) {
      const found = await this.ask('GET', `/api/v1/jobs/${id}/wait?timeout=60`);
      if (found.finished_at) {
        if (found.state !== 'succeeded') {
          throw new Error(`${id} is ${found.state}: ${JSON.stringify(found.error ?? found.reason)}`);
        }
        return found;
      }
    }
  }

  // Where requests lie as submit_load reads them: [method, path, body].
  requestFile(requests) {
    const path = join(this.home, `requests-${++this.#files}`);
    writeFileSync(path, requests.map(([method, target, body]) => {
      const text = body === undefined ? '' : JSON.stringify(body);
      const bytes = `${method} ${target} HTTP/1.1\r\nHost: localhost\r\n`
        + (text ? `Content-Type: application/json\r\nContent-Length: ${Buffer.byteLength(text)}\r\n` : '') + `\r\n${text}`;
      return `${Buffer.byteLength(bytes)}\n${bytes}`;
    }).join(''));
    return path;
  }

  // What submit_load has to say of the requests' times. At a steady rate it runs where there is room:
  // beside busy workers on one core it would measure its own wait for that core.
  async load(place, requests, { clients, seconds, rate = 0 }) {
    const words = [place.program('submit_load'), this.socket, this.requestFile(requests), String(clients), String(seconds)];
    const used = await place.runOnce(() => (rate ? [...words, String(rate)] : words), { core: rate ? 'all' : clientCore });
    const found = JSON.parse(used.stdout);
    if (found.failed > 0 || found.requests === 0) {
      throw new Error(`${found.failed} of ${found.requests} requests failed: ${used.stderr}`);
    }
    return { ...found, cpu: used.cpu };
  }

  // Returns when no job waits or runs.
  async idle() {
    for (;;) {
      const { queued, running } = (await this.ask('GET', '/health')).queue;
      if (queued + running === 0) {
        return;
      }
      await sleep(20);
    }
  }

  residentMb() {
    return Number(/VmRSS:\s+(\d+) kB/.exec(readFileSync(`/proc/${this.pid}/status`, 'utf8'))[1]) * 1.024 / 1000;
  }

  // Closes the connections to it; a service that still has some is not without work.
  leave() {
    this.#agent.destroy();
  }

  // How often its threads have gone to sleep so far: each wake-up ends with that.
  sleeps() {
    let sum = 0;
    for (const thread of readdirSync(`/proc/${this.pid}/task`)) {
      const status = readFileSync(`/proc/${this.pid}/task/${thread}/status`, 'utf8');
      sum += Number(/\nvoluntary_ctxt_switches:\s+(\d+)/.exec(status)[1]);
    }
    return sum;
  }

  // Ends it and throws its folders away. Milliseconds from the signal to its end.
  async stop() {
    this.#agent.destroy();
    const begin = performance.now();
    this.child.kill('SIGTERM');
    await this.ended;
    const took = performance.now() - begin;
    rmSync(this.home, { recursive: true, force: true });
    return took;
  }
}

// The service for as long as `work` takes.
export async function withDaemon(place, options, work) {
  const daemon = await Daemon.start(place, options);
  try {
    return await work(daemon);
  } finally {
    await daemon.stop();
  }
}

// The options of the one job that everybody does, for POST /jobs.
export function jobOptions(url, concurrency) {
  return {
    model: `openai/${job.model}`, base_url: url, system: job.system, prompt: job.prompt, temperature: 0, max_tokens: 64, concurrency,
  };
}
