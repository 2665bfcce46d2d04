// SPDX-License-Identifier: Apache-2.0
// Drives every operation of share/openapi.json against a running daemon, and holds each request and
// each answer against the document:
//   node drive.mjs SOCKET BATCHLLM [--verbose]
// SOCKET is the daemon's UNIX socket, with an empty state folder behind it; BATCHLLM the program
// whose `simulate` plays the provider. The daemon is stopped at the end. Prints what did not hold
// and exits with 1 then. Node 18 or newer.
import assert from 'node:assert/strict';
import { randomUUID } from 'node:crypto';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { send, startSimulator } from './connection.mjs';
import { Contract } from './contract.mjs';
import { elsewhere, scenarios } from './scenarios.mjs';

const [socketPath, program, ...flags] = process.argv.slice(2);
if (!program) {
  console.error('usage: drive.mjs SOCKET BATCHLLM [--verbose]');
  process.exit(2);
}
const patience = 30_000; // ms, for a state to come

const contract = new Contract();
const claimed = new Map(); // operationId -> statuses that were seen

const valueOf = (value, made) => (typeof value === 'function' ? value(made) : value);

// The row of the table as a request.
function requestOf(row, operation, made) {
  const request = {
    path: valueOf(row.path, made),
    query: valueOf(row.query, made),
    headers: { ...valueOf(row.headers, made) },
    body: row.raw ?? valueOf(row.body, made),
  };
  if (request.body !== undefined) {
    request.type = row.type ?? 'application/json';
  }
  if (operation.method === 'post' && request.headers['Idempotency-Key'] === undefined) {
    request.headers['Idempotency-Key'] = randomUUID();
  }
  return request;
}

// Path and query of the request, as the document's `style` and `explode` say.
function targetOf(operation, { path = {}, query = {} }, at) {
  const place = (at ?? operation.path).replace(/\{(\w+)\}/g, (_, name) => encodeURIComponent(path[name]));
  const words = [];
  for (const [name, value] of Object.entries(query)) {
    const joined = Array.isArray(value) && operation.parameter(name).value.explode === false;
    for (const one of joined ? [value.join(',')] : [value].flat()) {
      words.push(`${encodeURIComponent(name)}=${encodeURIComponent(one)}`);
    }
  }
  return words.length === 0 ? place : `${place}?${words.join('&')}`;
}

async function exchange(row, operation, request) {
  if (!row.invalid) {
    operation.checkRequest(request);
  }
  const answer = await send(socketPath, {
    ...request,
    method: operation.method.toUpperCase(),
    target: targetOf(operation, request, row.at),
  });
  operation.checkAnswer(answer);
  return answer;
}

// Sends a POST again: the same is answered the same, another body is refused.
async function checkReplay(row, operation, request, first, made) {
  const again = await exchange(row, operation, request);
  assert.equal(again.headers['idempotency-replayed'], 'true', 'sent again, it is not marked as replayed');
  assert.equal(again.status, first.status, 'sent again, it has another status');
  assert.deepEqual(again.body, first.body, 'sent again, it has another body');
  if (row.other !== undefined) {
    const conflict = await exchange(row, operation, { ...request, body: valueOf(row.other, made) });
    claim(operation, conflict.status);
    assert.equal(conflict.status, 409, 'another body under the same Idempotency-Key is taken');
    assert.equal(conflict.body.code, 'idempotency_conflict');
  }
}

function claim(operation, status) {
  claimed.set(operation.id, (claimed.get(operation.id) ?? new Set()).add(status));
}

async function play(row, made) {
  const operation = contract.operation(row.does);
  await row.before?.(made);
  const request = requestOf(row, operation, made);
  const deadline = Date.now() + patience;
  let answer = await exchange(row, operation, request);
  while (row.until && !row.until(answer.body)) {
    assert.ok(Date.now() < deadline, `still not so: ${JSON.stringify(answer.body)}`);
    await new Promise((resolve) => setTimeout(resolve, 20)); // asks again; nothing depends on the time
    answer = await exchange(row, operation, request);
  }
  claim(operation, answer.status);
  assert.ok([row.status].flat().includes(answer.status), `answered ${answer.status}, not ${row.status}: ${answer.text.slice(0, 800)}`);
  if (row.code !== undefined) {
    assert.equal(answer.body.code, row.code, `the problem's code: ${answer.text}`);
  }
  if (row.keep !== undefined) {
    made[row.keep] = answer.body;
  }
  await row.check?.(answer.body, made, answer);
  if (operation.method === 'post' && answer.status < 300 && !row.once) {
    await checkReplay(row, operation, request, answer, made);
  }
  if (answer.status === 201 && answer.headers.location !== undefined) {
    const found = await send(socketPath, { method: 'GET', target: answer.headers.location });
    assert.equal(found.status, 200, `nothing is at the Location ${answer.headers.location}`);
  }
}

// Operations and statuses below 500 that the document lists and no row brought about.
function gaps() {
  const missing = [];
  for (const operation of contract.operations.values()) {
    for (const status of operation.statuses) {
      const excused = status >= 500 || elsewhere[status] || elsewhere[`${status} of ${operation.id}`];
      if (!excused && !claimed.get(operation.id)?.has(status)) {
        missing.push(`${operation.id}: ${status} was never answered`);
      }
    }
  }
  return missing;
}

const folder = mkdtempSync(join(tmpdir(), 'batchllm-contract-'));
const made = {
  contract,
  document: contract.document,
  existingFile: join(folder, 'existing.csv'),
  scheduledFile: join(folder, 'scheduled.csv'),
};
writeFileSync(made.existingFile, 'id,text\n1,one\n');
writeFileSync(made.scheduledFile, 'id,text\n1,one\n2,two\n');

const faults = [];
let rows = 0;
const simulator = await startSimulator(program);
try {
  made.simulator = simulator.baseUrl;
  for (const row of scenarios(contract)) {
    rows += 1;
    try {
      await play(row, made);
      if (flags.includes('--verbose')) {
        console.log(`ok      ${row.name}`);
      }
    } catch (error) {
      faults.push(row.name);
      console.error(`FAILED  ${row.name} (${row.does})\n  ${error.stack.replaceAll('\n', '\n  ')}`);
    }
  }
} finally {
  await simulator.stop();
  rmSync(folder, { recursive: true });
}
for (const gap of gaps()) {
  faults.push(gap);
  console.error(`MISSING ${gap}`);
}
console.log(`${contract.operations.size} operations, ${rows} scenarios, ${faults.length} faults`);
process.exit(faults.length === 0 ? 0 : 1);
