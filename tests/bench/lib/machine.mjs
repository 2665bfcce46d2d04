// SPDX-License-Identifier: Apache-2.0
// Commands on core 0, servers on core 1, and what they used.
import { spawn, spawnSync } from 'node:child_process';
import { mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { loadavg } from 'node:os';
import { join } from 'node:path';

import { job } from './job.mjs';

export const clientCore = 0;
export const serverCore = 1;

export const hasCommand = (name) => spawnSync('sh', ['-c', `command -v ${name}`]).status === 0;
export const sleep = (ms) => new Promise((resolve) => { setTimeout(resolve, ms); });

export function median(numbers) {
  const sorted = [...numbers].sort((a, b) => a - b);
  const middle = sorted.length >> 1;
  return sorted.length % 2 ? sorted[middle] : (sorted[middle - 1] + sorted[middle]) / 2;
}

// A fresh folder for each thing that is measured, with everything that batchllm keeps inside.
export class Workplace {
  constructor({ build, quick }) {
    this.build = build;
    this.quick = quick;
    this.rounds = quick ? 1 : 3;
    this.batchllm = join(build, 'bin/batchllm');
    this.folder = join(build, 'bench-work');
    this.inputs = join(build, 'bench-inputs');
    this.count = 0;
    rmSync(this.folder, { recursive: true, force: true });
    mkdirSync(this.folder, { recursive: true });
    mkdirSync(this.inputs, { recursive: true });
    this.servers = new Set();
  }

  program(name) {
    return join(this.build, 'tests/bench', name);
  }

  fresh() {
    const path = join(this.folder, String(++this.count));
    mkdirSync(path, { recursive: true });
    return path;
  }

  environment(home) {
    return {
      PATH: process.env.PATH, LANG: 'C.UTF-8', HOME: home, OPENAI_API_KEY: job.apiKey,
      XDG_STATE_HOME: join(home, 'state'), XDG_DATA_HOME: join(home, 'data'),
      XDG_CONFIG_HOME: join(home, 'config'), XDG_RUNTIME_DIR: home,
    };
  }

  // Starts a command under `measure`; `ended` resolves to what it used. `stop()` kills it.
  start(words, { home = this.fresh(), core = clientCore, statuses = [0], cwd = home } = {}) {
    const result = join(home, `used-${++this.count}.json`);
    const child = spawn(this.program('measure'), [String(core), result, ...words],
                        { cwd, env: this.environment(home), stdio: ['ignore', 'pipe', 'pipe'] });
    const text = { stdout: '', stderr: '' };
    for (const name of ['stdout', 'stderr']) {
      child[name].setEncoding('utf8').on('data', (piece) => { text[name] = (text[name] + piece).slice(-1 << 20); });
    }
    const ended = new Promise((resolve, reject) => {
      child.on('error', reject);
      child.on('close', (status) => {
        if (status !== 0) {
          reject(new Error(`${words[0]}: ${text.stderr || `measure ended with ${status}`}`));
          return;
        }
        const used = JSON.parse(readFileSync(result, 'utf8'));
        if (!statuses.includes(used.status)) {
          reject(new Error(`${words.slice(0, 3).join(' ')} ended with ${used.status}: `
                           + `${text.stderr.slice(-600)}${text.stdout.slice(-300)}`));
          return;
        }
        resolve({ ...used, ...text, cpu: used.user + used.sys, rssMb: used.max_rss_kb * 1.024 / 1000 });
      });
    });
    return { ended, stop: () => child.kill('SIGTERM') };
  }

  async run(words, options = {}) {
    return this.start(words, options).ended;
  }

  // Runs in a folder that is gone afterwards.
  async runOnce(makeWords, options = {}) {
    const home = this.fresh();
    try {
      return await this.run(makeWords(home), { ...options, home });
    } finally {
      rmSync(home, { recursive: true, force: true });
    }
  }

  // The simulator on the server's core; ready when this resolves.
  async simulator(options = []) {
    const child = spawn('taskset', ['-c', String(serverCore), this.batchllm, 'simulate', '--no-config', ...options],
                        { env: this.environment(this.folder), stdio: ['ignore', 'pipe', 'ignore'] });
    const url = await new Promise((resolve, reject) => {
      child.once('exit', () => reject(new Error('the simulator ended at once')));
      child.stdout.once('data', (text) => resolve(String(text).trim()));
    });
    return this.#server(child, child.pid, url);
  }

  // nginx that gives the same answer to everything; `answer` may not hold a single quote or `$`.
  async nginx(answer) {
    const folder = this.fresh();
    const port = 20000 + Math.floor(Math.random() * 12000);
    writeFileSync(join(folder, 'nginx.conf'), `
      daemon off; worker_processes 1; pid ${folder}/pid; error_log ${folder}/errors; worker_rlimit_nofile 16384;
      events { worker_connections 8192; }
      http { access_log off; keepalive_requests 100000000; default_type application/json;
        client_body_temp_path ${folder}; proxy_temp_path ${folder}; fastcgi_temp_path ${folder};
        uwsgi_temp_path ${folder}; scgi_temp_path ${folder};
        server { listen 127.0.0.1:${port} backlog=8192; location / { return 200 '${answer}'; } } }`);
    const child = spawn('taskset', ['-c', String(serverCore), 'nginx', '-e', join(folder, 'errors'),
                                    '-c', join(folder, 'nginx.conf')], { stdio: 'ignore' });
    const url = `http://127.0.0.1:${port}/v1`;
    for (let attempt = 0; ; ++attempt) {
      try {
        await (await fetch(url)).text();
        return this.#server(child, child.pid, url);
      } catch (error) {
        if (attempt === 250) {
          throw error;
        }
        await sleep(20);
      }
    }
  }

  #server(child, pid, url) {
    const server = {
      pid,
      url,
      stop: () => new Promise((resolve) => {
        this.servers.delete(server);
        child.removeAllListeners('exit');
        child.once('exit', resolve);
        child.kill('SIGTERM');
      }),
    };
    this.servers.add(server);
    return server;
  }

  async close() {
    await Promise.all([...this.servers].map((server) => server.stop()));
    rmSync(this.folder, { recursive: true, force: true });
  }
}

// Watches how many descriptors a process has open at most, while `work` goes on.
export async function mostDescriptors(pid, work) {
  let most = 0;
  const timer = setInterval(() => {
    try {
      most = Math.max(most, readdirSync(`/proc/${pid}/fd`).length);
    } catch {
      // It has ended.
    }
  }, 50);
  try {
    return { result: await work, most };
  } finally {
    clearInterval(timer);
  }
}

export const load = () => Math.round(loadavg()[0] * 10) / 10;
