// SPDX-License-Identifier: Apache-2.0
// CPU time per request of `batchllm simulate` against nginx returning a body of the same size:
//   node tests/bench/simulator_cpu.mjs PATH/TO/batchllm [ROUNDS]
// Both are pinned to core 1, wrk to core 0; rounds are interleaved, the medians are printed as JSON.
// Needs wrk and nginx, and two cores.
import { spawn, spawnSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

const binary = process.argv[2];
const rounds = Number(process.argv[3] ?? 3);
if (!binary) {
  console.error('usage: simulator_cpu.mjs PATH/TO/batchllm [ROUNDS]');
  process.exit(2);
}
const folder = mkdtempSync(join(tmpdir(), 'simulator-cpu-'));
const ticksPerSecond = Number(spawnSync('getconf', ['CLK_TCK']).stdout);
const body = JSON.stringify({
  model: 'gpt-4o-mini',
  messages: [{
    role: 'user',
    content: 'Classify as bug, question or praise: ' + 'The export hangs when I press save. '.repeat(12),
  }],
});

function startSimulator() {
  return new Promise((resolve, reject) => {
    const child = spawn('taskset', ['-c', '1', binary, 'simulate', '--port', '0'],
                        { stdio: ['ignore', 'pipe', 'inherit'] });
    child.on('exit', () => reject(new Error('the simulator ended')));
    child.stdout.once('data', (text) => resolve({ child, pid: child.pid, url: String(text).trim() }));
  });
}

async function startNginx(answer) {
  const port = 20000 + Math.floor(Math.random() * 20000);
  const text = answer.replaceAll("'", ' ');
  writeFileSync(join(folder, 'nginx.conf'), `
    daemon off; worker_processes 1; pid ${folder}/nginx.pid; error_log ${folder}/error.log;
    events { worker_connections 1024; }
    http { access_log off; keepalive_requests 100000000; default_type application/json;
      client_body_temp_path ${folder}; proxy_temp_path ${folder}; fastcgi_temp_path ${folder};
      uwsgi_temp_path ${folder}; scgi_temp_path ${folder};
      server { listen 127.0.0.1:${port}; location / { return 200 '${text}'; } } }`);
  const child = spawn('taskset', ['-c', '1', 'nginx', '-e', join(folder, 'error.log'), '-c',
                                  join(folder, 'nginx.conf')], { stdio: 'ignore' });
  const url = `http://127.0.0.1:${port}/v1`;
  for (;;) {
    try {
      await (await fetch(url)).text();
      break;
    } catch {
      await new Promise((resolve) => setTimeout(resolve, 20));
    }
  }
  const children = readFileSync(`/proc/${child.pid}/task/${child.pid}/children`, 'utf8');
  return { child, pid: Number(children.trim().split(' ')[0]), url };
}

function cpuSeconds(pid) {
  const fields = readFileSync(`/proc/${pid}/stat`, 'utf8').split(') ')[1].split(' ');
  return (Number(fields[11]) + Number(fields[12])) / ticksPerSecond;
}

function microsecondsPerRequest(server) {
  const script = join(folder, 'post.lua');
  writeFileSync(script, `wrk.method = "POST"
    wrk.headers["Content-Type"] = "application/json"
    wrk.headers["Authorization"] = "Bearer sk-simulated-0123456789"
    wrk.body = [==[${body}]==]`);
  const before = cpuSeconds(server.pid);
  const wrk = spawnSync('taskset', ['-c', '0', 'wrk', '-t1', '-c64', '-d4s', '-s', script,
                                    `${server.url}/chat/completions`], { encoding: 'utf8' });
  const requests = Number(/(\d+) requests in/.exec(wrk.stdout)?.[1]);
  if (!requests || /Non-2xx/.test(wrk.stdout)) {
    throw new Error(`wrk says: ${wrk.stdout}${wrk.stderr}`);
  }
  return (cpuSeconds(server.pid) - before) / requests * 1e6;
}

const median = (numbers) => numbers.sort((a, b) => a - b)[Math.floor(numbers.length / 2)];
const rounded = (number) => Math.round(number * 100) / 100;

let simulator;
let nginx;
try {
  simulator = await startSimulator();
  const answer = await (await fetch(`${simulator.url}/chat/completions`, { method: 'POST', body })).text();
  nginx = await startNginx(answer);
  const figures = { simulator: [], nginx: [] };
  for (let round = 0; round < rounds; ++round) {
    figures.simulator.push(microsecondsPerRequest(simulator));
    figures.nginx.push(microsecondsPerRequest(nginx));
  }
  const simulatorUs = median(figures.simulator);
  const nginxUs = median(figures.nginx);
  console.log(JSON.stringify({
    simulator_us: rounded(simulatorUs),
    nginx_us: rounded(nginxUs),
    ratio: rounded(simulatorUs / nginxUs),
    answer_bytes: answer.length,
    rounds,
  }));
} finally {
  simulator?.child.removeAllListeners('exit');
  simulator?.child.kill('SIGTERM');
  nginx?.child.kill('SIGTERM');
  rmSync(folder, { recursive: true, force: true });
}
