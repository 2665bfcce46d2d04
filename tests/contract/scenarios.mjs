// SPDX-License-Identifier: Apache-2.0
// What is sent to the daemon, in order. A row of the table:
//
//   name      a claim, as of any test
//   does      operationId
//   status    the one that is expected; every one that the document lists must be claimed somewhere
//   path, query, headers, body, type     the request; a function is called with what was made so far
//   raw       bytes instead of a JSON body
//   at        another path of the same operation
//   code      the `code` of the problem that is expected
//   keep      name under which the answer's body is kept in `made`
//   check     (body, made, answer) => …, throws when the answer is not right
//   until     (body) => done?; the request is sent again until it holds
//   before    (made) => …, done first
//   other     another valid body: sent with the same Idempotency-Key it is a conflict
//   once      not sent again with its Idempotency-Key
//   invalid   the request is against the document, on purpose
//
// Rows that only say that something unknown, malformed or of another type is refused are made from
// the document: refusals().
import assert from 'node:assert/strict';
import { rmSync } from 'node:fs';
import { eventsOf, formOf } from './connection.mjs';

const csv = Buffer.from('id,text\nT-1,It crashes on start\nT-2,"How do I export, please?"\nT-3,Great work\n');
const model = 'openai/gpt-4o-mini';
const ended = ['succeeded', 'partial', 'failed', 'cancelled'];

const ask = (made, more = {}) => ({
  model,
  base_url: made.simulator,
  prompt: 'Classify as bug, question or praise: {text}',
  id_column: 'id',
  ...more,
});
const rowsOf = (count) => Array.from({ length: count }, (_, row) => ({ id: `R-${row + 1}`, text: `message ${row + 1}` }));
// Many rows, one request a minute: runs until somebody stops it.
const slowJob = (made) => ({ input: { rows: rowsOf(200) }, options: ask(made, { rpm: 1, concurrency: 1 }), name: 'slow' });
const id = (kept) => (made) => ({ id: made[kept].id });
const is = (...states) => (job) => states.includes(job.state);
const hasEnded = (job) => ended.includes(job.state);
const sameId = (kept) => (body, made) => assert.equal(body.id, made[kept].id);

const service = [
  { name: 'the version is told', does: 'getVersion', status: 200 },
  { name: 'the version is told below /api/v1', does: 'getVersion', at: '/api/v1/version', status: 200 },
  { name: 'it is ready', does: 'getReady', status: 200 },
  { name: 'it is ready below /api/v1', does: 'getReady', at: '/api/v1/ready', status: 200 },
  { name: 'its health is told', does: 'getHealth', status: 200, check: (health) => assert.equal(health.database.status, 'ok') },
  { name: 'its health is told below /api/v1', does: 'getHealth', at: '/api/v1/health', status: 200 },
  { name: 'the document is the one of share', does: 'getOpenapi', status: 200, check: (body, made) => assert.deepEqual(body, made.document) },
  { name: 'the document is there below /api/v1', does: 'getOpenapi', at: '/api/v1/openapi.json', status: 200 },
  { name: 'the page shows the document', does: 'getDocs', status: 200, check: (_, __, answer) => assert.match(answer.text, /id="createJob"/) },
  { name: 'the page is there below /api/v1', does: 'getDocs', at: '/api/v1/docs', status: 200 },
];

const projects = [
  { name: 'a project is made', does: 'createProject', status: 201, body: { name: 'contract', settings: { max_running: 4 } }, other: { name: 'contract2' }, keep: 'project' },
  { name: 'another one is made', does: 'createProject', status: 201, body: { name: 'empty' } },
  { name: 'a name is taken once', does: 'createProject', status: 409, code: 'name_taken', body: { name: 'contract' } },
  { name: 'projects are listed', does: 'listProjects', status: 200, check: ({ items }) => assert.deepEqual(items.map((one) => one.name), ['contract', 'default', 'empty']) },
  { name: 'a project is shown', does: 'getProject', status: 200, path: { name: 'contract' } },
  { name: 'a project takes a limit', does: 'updateProject', status: 200, path: { name: 'contract' }, body: { settings: { max_running: 3 } }, check: (body) => assert.equal(body.settings.max_running, 3) },
  { name: 'a project without jobs is removed', does: 'deleteProject', status: 204, path: { name: 'empty' } },
  { name: 'the default project stays', does: 'deleteProject', status: 409, code: 'project_in_use', path: { name: 'default' } },
];

const keys = [
  { name: 'a key is stored and masked', does: 'createKey', status: 201, body: { provider: 'openai', label: 'contract', key: 'sk-made-up-1234567890' }, other: { provider: 'openai', label: 'contract', key: 'sk-made-up-0000000000' }, keep: 'key',
    check: (key, _, answer) => { assert.match(key.masked, /7890$/); assert.ok(!answer.text.includes('made-up')); } },
  { name: 'a label is taken once', does: 'createKey', status: 409, code: 'name_taken', body: { provider: 'openai', label: 'contract', key: 'sk-made-up-2' } },
  { name: 'keys are listed, masked', does: 'listKeys', status: 200, check: (_, __, answer) => assert.ok(!answer.text.includes('made-up')) },
];

const files = [
  { name: 'bytes are stored as they are', does: 'uploadFile', status: 201, query: { name: 'tickets.csv' }, type: 'text/csv', raw: csv, other: Buffer.from('id,text\n1,x\n'), keep: 'file',
    check: (file) => { assert.equal(file.rows, 3); assert.deepEqual(file.columns, ['id', 'text']); assert.equal(file.bytes, csv.length); } },
  { name: 'a form is stored as its file', does: 'uploadFile', status: 201, ...(({ type, body }) => ({ type, raw: body }))(formOf('same.csv', 'text/csv', csv)), keep: 'sameFile',
    check: (file, made) => { assert.equal(file.sha256, made.file.sha256); assert.notEqual(file.id, made.file.id); assert.equal(file.name, 'same.csv'); } },
  { name: 'what cannot be read is refused', does: 'uploadFile', status: 422, query: { name: 'broken.json' }, type: 'application/json', raw: Buffer.from('[{"text": "never clo') },
  { name: 'a type that is not taken is refused', does: 'uploadFile', status: 415, code: 'file_type_refused', query: { name: 'a.pdf' }, type: 'application/pdf', raw: Buffer.from('%PDF-1.7\n'), invalid: true },
  { name: 'files come in pages', does: 'listFiles', status: 200, query: { limit: 1 }, keep: 'filePage', check: ({ items, next_cursor }, made) => { assert.equal(items[0].id, made.sameFile.id); assert.equal(typeof next_cursor, 'string'); } },
  { name: 'the next page goes on', does: 'listFiles', status: 200, query: (made) => ({ limit: 1, cursor: made.filePage.next_cursor }), check: ({ items }, made) => assert.equal(items[0].id, made.file.id) },
  { name: 'a file is shown', does: 'getFile', status: 200, path: id('file'), check: sameId('file') },
  { name: 'a file comes back byte for byte', does: 'getFileContent', status: 200, path: id('file'), check: (_, __, answer) => assert.ok(answer.bytes.equals(csv)) },
  { name: 'a file is removed', does: 'deleteFile', status: 204, path: id('sameFile') },
  { name: 'a removed file is gone', does: 'getFile', status: 404, code: 'file_not_found', path: id('sameFile') },
];

const jobs = [
  { name: 'a job is queued', does: 'createJob', status: 201, keep: 'job',
    body: (made) => ({ input: { file_id: made.file.id }, options: ask(made), approval: true, name: 'first', project: 'contract', priority: 10, tags: { team: 'contract' } }),
    other: (made) => ({ input: { file_id: made.file.id }, options: ask(made), name: 'second' }),
    check: (job) => assert.equal(job.kind, 'job') },
  { name: 'a job that wants approval asks', does: 'getJob', status: 200, path: id('job'), until: is('waiting_input'), check: (job) => assert.equal(job.question.kind, 'approval') },
  { name: 'a file in use stays', does: 'deleteFile', status: 409, code: 'file_in_use', path: id('file') },
  { name: 'a job that has not ended stays', does: 'deleteJob', status: 409, code: 'job_conflict', path: id('job') },
  { name: 'a job that has not ended is not retried', does: 'retryJob', status: 409, code: 'job_conflict', path: id('job') },
  { name: 'a job is changed', does: 'updateJob', status: 200, path: id('job'), body: { name: 'Tickets', max_cost: '1.25', tags: { team: 'contract', run: '1' } }, check: (job) => assert.deepEqual(job.tags, { team: 'contract', run: '1' }) },
  { name: 'an answer lets it go on', does: 'answerJob', status: 200, path: id('job'), body: { answer: 'yes' }, other: { answer: 'no' } },
  { name: 'waiting ends when the job ends', does: 'waitForJob', status: 200, path: id('job'), query: { timeout: 20 }, until: hasEnded, check: (job) => { assert.equal(job.state, 'succeeded'); assert.equal(job.exit_code, 0); assert.equal(job.rows.ok, 3); } },
  { name: 'an ended job asks nothing', does: 'answerJob', status: 409, code: 'job_conflict', path: id('job'), body: { answer: 'yes' } },
  { name: 'an ended job keeps its priority', does: 'updateJob', status: 409, code: 'job_conflict', path: id('job'), body: { priority: 1 } },
  { name: 'an ended job cannot pause', does: 'pauseJob', status: 409, code: 'job_conflict', path: id('job') },
  { name: 'an ended job cannot go on', does: 'resumeJob', status: 409, code: 'job_conflict', path: id('job') },
  { name: 'rows may come with the request', does: 'createJob', status: 201, body: (made) => ({ input: { rows: rowsOf(2) }, options: ask(made), after: [made.job.id] }), keep: 'rowsJob' },
  { name: 'an unknown file is refused', does: 'createJob', status: 404, code: 'file_not_found', body: (made) => ({ input: { file_id: 'file_aaaaaaaaaaaa' }, options: ask(made) }) },
  { name: 'an unknown column is refused', does: 'createJob', status: 422, code: 'column_missing', body: (made) => ({ input: { file_id: made.file.id }, options: ask(made, { prompt: 'Say {txet}' }) }) },
  { name: 'a file is not overwritten', does: 'createJob', status: 409, code: 'output_exists', body: (made) => ({ input: { file_id: made.file.id }, options: ask(made), output_path: made.existingFile }) },
  { name: 'jobs are found by their filters', does: 'listJobs', status: 200, query: { state: ['succeeded', 'failed'], kind: 'job', project: 'contract', tag: ['team:contract'] }, check: ({ items }, made) => assert.deepEqual(items.map((job) => job.id), [made.job.id]) },
  { name: 'jobs come in pages', does: 'listJobs', status: 200, query: { limit: 1 }, check: ({ items, next_cursor }) => { assert.equal(items.length, 1); assert.equal(typeof next_cursor, 'string'); } },
  { name: 'attempts are kept', does: 'listAttempts', status: 200, path: id('job'), check: ({ items }) => assert.equal(items.at(-1).outcome, 'succeeded') },
];

const results = [
  { name: 'results come in the order of the input', does: 'listResults', status: 200, path: id('job'), query: { limit: 2 }, keep: 'resultPage', check: ({ items }) => { assert.deepEqual(items.map((row) => row.row), [1, 2]); assert.equal(items[1].input.text, 'How do I export, please?'); assert.equal(items[0].id, 'T-1'); } },
  { name: 'the next page of results goes on', does: 'listResults', status: 200, path: id('job'), query: (made) => ({ limit: 2, cursor: made.resultPage.next_cursor }), check: ({ items, next_cursor }) => { assert.deepEqual(items.map((row) => row.row), [3]); assert.equal(next_cursor, null); } },
  { name: 'failed rows alone', does: 'listResults', status: 200, path: id('job'), query: { status: 'failed' }, check: ({ items }) => assert.deepEqual(items, []) },
  ...[['csv', /^id,text,output\r?\n/], ['tsv', /^id\ttext\toutput\r?\n/], ['json', /^\[/], ['jsonl', /^\{"id"/]].map(([format, start]) => (
    { name: `results are exported as ${format}`, does: 'exportResults', status: 200, path: id('job'), query: { format, status: 'ok' }, check: (_, __, answer) => assert.match(answer.text, start) })),
  { name: 'nothing failed', does: 'listErrors', status: 200, path: id('job'), check: (errors) => assert.deepEqual(errors.groups, []) },
];

// Every event is as its schema says, and the numbers have no gaps.
function checkEvents(events, first) {
  events.forEach((event, index) => assert.equal(event.seq, first + index));
}

const events = [
  { name: 'events begin at 1', does: 'listEvents', status: 200, path: id('job'), query: { limit: 1000 }, keep: 'eventPage',
    check: ({ items }) => { checkEvents(items, 1); assert.equal(items[0].type, 'job.queued'); assert.equal(items.at(-1).type, 'job.succeeded'); } },
  { name: 'events go on behind a number', does: 'listEvents', status: 200, path: id('job'), query: { after: 2, limit: 1 }, check: ({ items, next_cursor }) => { checkEvents(items, 3); assert.equal(next_cursor, '3'); } },
  { name: 'a stream of an ended job gives all its events and ends', does: 'listEvents', status: 200, path: id('job'), headers: { Accept: 'text/event-stream' }, check: (_, made, answer) => checkStream(answer, made, 0) },
  { name: 'a stream goes on behind Last-Event-ID', does: 'listEvents', status: 200, path: id('job'), headers: { Accept: 'text/event-stream', 'Last-Event-ID': 2 }, check: (_, made, answer) => checkStream(answer, made, 2) },
];

function checkStream(answer, made, after) {
  assert.match(answer.text, /^retry: 2000$/m);
  const streamed = eventsOf(answer.text);
  const all = streamed.map(({ data }) => JSON.parse(data));
  all.forEach((event, index) => {
    made.contract.checkNamed('JobEvent', event, `event ${event.seq} of the stream`);
    assert.equal(streamed[index].id, String(event.seq));
    assert.equal(streamed[index].event, event.type);
  });
  assert.deepEqual(all, made.eventPage.items.slice(after));
}

const stopping = [
  { name: 'a long job is queued', does: 'createJob', status: 201, body: slowJob, keep: 'slow' },
  { name: 'a long job runs', does: 'getJob', status: 200, path: id('slow'), until: is('running') },
  { name: 'waiting ends when its time is up', does: 'waitForJob', status: 200, path: id('slow'), query: { timeout: 0.2 }, check: (job) => assert.equal(job.state, 'running') },
  { name: 'a running job is told to pause', does: 'pauseJob', status: 202, path: id('slow'), check: (job) => assert.equal(job.desired, 'pause') },
  { name: 'it pauses', does: 'getJob', status: 200, path: id('slow'), until: is('paused') },
  { name: 'pausing again changes nothing', does: 'pauseJob', status: 200, path: id('slow') },
  { name: 'it goes on', does: 'resumeJob', status: 200, path: id('slow') },
  { name: 'it runs again', does: 'getJob', status: 200, path: id('slow'), until: is('running') },
  { name: 'a running job is told to cancel', does: 'cancelJob', status: 202, path: id('slow') },
  { name: 'it is cancelled', does: 'waitForJob', status: 200, path: id('slow'), query: { timeout: 20 }, until: hasEnded, check: (job) => { assert.equal(job.state, 'cancelled'); assert.ok(job.reason); } },
  { name: 'cancelling again changes nothing', does: 'cancelJob', status: 200, path: id('slow') },
  { name: 'a cancelled job is retried as a new one', does: 'retryJob', status: 201, path: id('slow'), body: { options: { max_attempts: 3 } }, other: { options: { max_attempts: 4 } }, keep: 'again', check: (job, made) => { assert.equal(job.retry_of, made.slow.id); assert.notEqual(job.id, made.slow.id); } },
  { name: 'the new one is cancelled', does: 'cancelJob', status: [200, 202], path: id('again') },
  { name: 'the new one ends', does: 'waitForJob', status: 200, path: id('again'), query: { timeout: 20 }, until: hasEnded },
  { name: 'an ended job is removed', does: 'deleteJob', status: 204, path: id('slow') },
  { name: 'a removed job is gone', does: 'getJob', status: 404, code: 'job_not_found', path: id('slow') },
];

const tasks = [
  { name: 'task types are the templates', does: 'listTaskTypes', status: 200, check: ({ items }) => assert.ok(items.some((type) => type.name === 'summarize' && type.inputs.includes('text'))) },
  { name: 'a task is queued', does: 'createTask', status: 201, keep: 'task', body: (made) => ({ type: 'summarize', input: { text: 'A long story', language: 'English' }, model, options: { base_url: made.simulator } }), other: (made) => ({ type: 'summarize', input: { text: 'Another story', language: 'English' }, model, options: { base_url: made.simulator } }) },
  { name: 'a task is done with an output', does: 'getTask', status: 200, path: id('task'), until: (task) => ['done', 'error'].includes(task.status), check: (task) => { assert.equal(task.status, 'done'); assert.ok(task.output); } },
  { name: 'an unknown type is refused', does: 'createTask', status: 404, code: 'task_type_unknown', body: { type: 'sumarize', input: 'A long story' } },
  { name: 'an input that the template needs is missed', does: 'createTask', status: 422, code: 'column_missing', body: (made) => ({ type: 'summarize', input: { txet: 'A long story' }, model, options: { base_url: made.simulator } }) },
  { name: 'done tasks are listed', does: 'listTasks', status: 200, query: { status_filter: 'done', limit: 10 }, check: ({ items }, made) => assert.ok(items.some((task) => task.id === made.task.id)) },
  { name: 'a task takes tags', does: 'updateTask', status: 200, path: id('task'), body: { tags: { kind: 'story' } }, check: (task) => assert.deepEqual(task.tags, { kind: 'story' }) },
  { name: 'an ended task keeps its priority', does: 'updateTask', status: 409, code: 'job_conflict', path: id('task'), body: { priority: 3 } },
  { name: 'a file is processed while the client waits', does: 'processFile', status: 200, body: (made) => ({ file_url: made.file.id, prompt: 'Say {text}', model, config: { base_url: made.simulator }, api_key: 'sk-made-up' }), other: (made) => ({ file_url: made.file.id, prompt: 'Tell {text}', model, config: { base_url: made.simulator } }),
    check: (result) => { assert.equal(result.success, true); assert.equal(result.processed, 3); assert.equal(result.failed, 0); } },
  { name: 'a file URL works as well', does: 'processFile', status: 200, body: (made) => ({ file_url: `file://${made.existingFile}`, prompt: 'Say {text}', model, config: { base_url: made.simulator } }) },
  { name: 'an uploaded file that is not there is missed', does: 'processFile', status: 404, code: 'file_not_found', body: (made) => ({ file_url: 'file_aaaaaaaaaaaa', prompt: 'Say {text}', model, config: { base_url: made.simulator } }) },
  { name: 'a file that is not there is missed', does: 'processFile', status: 422, code: 'input_missing', body: (made) => ({ file_url: 'file:///nowhere/tickets.csv', prompt: 'Say {text}', model, config: { base_url: made.simulator } }) },
];

const scheduledJob = (made) => ({ input: { path: made.scheduledFile }, options: ask(made), project: 'contract' });
const schedules = [
  { name: 'a schedule is made', does: 'createSchedule', status: 201, keep: 'schedule', body: (made) => ({ name: 'nightly', cron: '30 2 * * MON-FRI', timezone: 'Europe/Berlin', job: scheduledJob(made) }), other: (made) => ({ name: 'nightly', cron: '31 2 * * *', job: scheduledJob(made) }),
    check: (schedule) => { assert.equal(schedule.enabled, true); assert.equal(schedule.overlap, 'skip'); assert.equal(schedule.missed, 'latest'); } },
  { name: 'another schedule is made', does: 'createSchedule', status: 201, keep: 'otherSchedule', body: (made) => ({ name: 'weekly', cron: '@weekly', job: scheduledJob(made), enabled: false }) },
  { name: 'a schedule has a name of its own', does: 'createSchedule', status: 409, code: 'name_taken', body: (made) => ({ name: 'nightly', cron: '@daily', job: scheduledJob(made) }) },
  { name: 'a schedule of an unknown file is refused', does: 'createSchedule', status: 404, code: 'file_not_found', body: (made) => ({ name: 'odd', cron: '@daily', job: { input: { file_id: 'file_aaaaaaaaaaaa' }, options: ask(made) } }) },
  { name: 'a wrong time is refused', does: 'createSchedule', status: 400, code: 'usage', body: (made) => ({ name: 'odd', cron: '61 * * * *', job: scheduledJob(made) }) },
  { name: 'schedules are listed by name', does: 'listSchedules', status: 200, check: ({ items }) => assert.deepEqual(items.map((one) => one.name), ['nightly', 'weekly']) },
  { name: 'a schedule is shown', does: 'getSchedule', status: 200, path: id('schedule'), check: sameId('schedule') },
  { name: 'a schedule is changed', does: 'updateSchedule', status: 200, path: id('schedule'), body: { cron: '0 3 * * *', overlap: 'allow' }, check: (one) => assert.equal(one.cron, '0 3 * * *') },
  { name: 'a schedule cannot take a name of another', does: 'updateSchedule', status: 409, code: 'name_taken', path: id('schedule'), body: { name: 'weekly' } },
  { name: 'a schedule pauses', does: 'pauseSchedule', status: 200, path: id('schedule'), check: (one) => { assert.equal(one.enabled, false); assert.equal(one.next_at, null); } },
  { name: 'the next times are told', does: 'previewSchedule', status: 200, path: id('schedule'), query: { count: 3 }, check: ({ items }) => { assert.equal(items.length, 3); for (const { at, local } of items) { assert.equal(Date.parse(at), Date.parse(local)); assert.match(local, /T03:00:00/); } } },
  { name: 'a schedule goes on', does: 'resumeSchedule', status: 200, path: id('schedule'), check: (one) => { assert.equal(one.enabled, true); assert.ok(one.next_at); } },
  { name: 'a schedule is run now', does: 'runSchedule', status: 201, path: id('otherSchedule'), keep: 'scheduledJob', check: (job, made) => assert.equal(job.schedule_id, made.otherSchedule.id) },
  { name: 'its job ends', does: 'waitForJob', status: 200, path: id('scheduledJob'), query: { timeout: 20 }, until: hasEnded, check: (job) => assert.equal(job.state, 'succeeded') },
  { name: 'a schedule whose input is gone says so', does: 'runSchedule', status: 422, code: 'input_missing', path: id('otherSchedule'), before: (made) => rmSync(made.scheduledFile) },
];

const times = { from: '2026-01-01', to: '2099-12-31' };
const analytics = [
  ...['project', 'model', 'day', 'job'].map((group_by) => (
    { name: `usage is told by ${group_by}`, does: 'getUsage', status: 200, query: { ...times, group_by }, check: ({ total, items }) => assert.equal(items.reduce((sum, one) => sum + one.rows, 0), total.rows) })),
  { name: 'usage is told without a time', does: 'getUsage', status: 200, check: ({ group_by, total }) => { assert.equal(group_by, 'day'); assert.ok(total.rows >= 3); } },
  { name: 'the overview counts jobs', does: 'getAnalyticsOverview', status: 200, query: times, check: (body) => assert.equal(Object.values(body.states).reduce((a, b) => a + b), body.jobs) },
  { name: 'cost is told', does: 'getAnalyticsCost', status: 200, query: times },
  { name: 'rows and tokens are told', does: 'getAnalyticsUsage', status: 200, query: times, check: ({ total }) => assert.ok(total.input_tokens > 0) },
];

const removing = [
  { name: 'a project with jobs stays', does: 'deleteProject', status: 409, code: 'project_in_use', path: { name: 'contract' } },
  { name: 'a task is removed', does: 'deleteTask', status: 204, path: id('task') },
  { name: 'a schedule is removed', does: 'deleteSchedule', status: 204, path: id('schedule') },
  { name: 'the other schedule is removed', does: 'deleteSchedule', status: 204, path: id('otherSchedule') },
  { name: 'a key is removed', does: 'deleteKey', status: 204, path: id('key') },
  { name: 'the configuration is read again', does: 'reloadDaemon', status: 200 },
  { name: 'the database is copied', does: 'backupDaemon', status: 201 },
];

export const stop = [
  { name: 'it stops in good order', does: 'drainDaemon', status: 202, body: { deadline_s: 5 }, once: true },
];

// What the document tells by itself: for every operation, an id that does not exist, a parameter,
// a key or a body that cannot be, and a body of another type.
const unknownIds = { JobId: 'job_20000101_000000_aaaa', TaskId: 'job_20000101_000000_aaaa', FileId: 'file_aaaaaaaaaaaa', ScheduleId: 'sched_aaaaaaaaaaaa', KeyId: 'key_aaaaaaaaaaaa', ProjectName: 'nowhere' };
const knownIds = { JobId: 'job', TaskId: 'task', FileId: 'file', ScheduleId: 'schedule', KeyId: 'key', ProjectName: 'project' };

function wrongValue({ type, enum: choices, items, minimum, maxLength, $ref }) {
  if (type === 'array') {
    return items.$ref ? '?!' : '';
  }
  if (choices || $ref) {
    return '?!';
  }
  return type === 'integer' || type === 'number' ? String(minimum - 1) : 'x'.repeat(maxLength + 1);
}

export function refusals(contract) {
  const rows = [];
  for (const operation of contract.operations.values()) {
    const path = (made) => Object.fromEntries(operation.parametersIn('path').map(({ value, pointer }) => [value.name, made[knownIds[pointer.split('/').at(-1)]][value.name]]));
    const body = operation.takesJson ? operation.exampleBody : undefined;
    const base = { does: operation.id, path, body, invalid: true };
    const [unknown] = operation.parametersIn('path').map(({ value, pointer }) => ({ [value.name]: unknownIds[pointer.split('/').at(-1)] }));
    if (unknown) {
      rows.push({ ...base, name: `${operation.id}: an unknown id is not found`, status: 404, path: unknown, invalid: false });
    }
    for (const { value } of operation.parametersIn('query')) {
      if (!(operation.id === 'uploadFile')) {
        rows.push({ ...base, name: `${operation.id}: ${value.name} is checked`, status: 400, code: 'usage', query: { [value.name]: wrongValue(value.schema) } });
      }
    }
    if (operation.method === 'post' && operation.statuses.includes(400)) {
      const upload = operation.id === 'uploadFile' ? { raw: csv, type: 'text/csv' } : {};
      rows.push({ ...base, ...upload, name: `${operation.id}: the Idempotency-Key is checked`, status: 400, code: 'usage', headers: { 'Idempotency-Key': 'k'.repeat(256) } });
    }
    if (body !== undefined) {
      rows.push({ ...base, name: `${operation.id}: an unknown member is refused`, status: 400, code: 'usage', body: { ...body, surprise: 1 } });
      rows.push({ ...base, name: `${operation.id}: what is no JSON is refused`, status: 400, code: 'usage', raw: Buffer.from('{"a":'), type: 'application/json' });
      rows.push({ ...base, name: `${operation.id}: a body of another type is refused`, status: 415, code: 'file_type_refused', raw: Buffer.from('a=b'), type: 'application/x-www-form-urlencoded' });
    }
  }
  return rows;
}

// Statuses that the document lists and other tests see to: they need another user, TCP, limits that
// are reached or a machine that fails.
export const elsewhere = {
  401: 'access tokens are for TCP; keys of providers are missing only without a base URL',
  403: 'the peer is another user, or a web page',
  413: 'limits on sizes are settings',
  '409 of drainDaemon': 'it would have to be sent twice',
};

export const scenarios = (contract) => [
  ...service, ...projects, ...keys, ...files, ...jobs, ...results, ...events, ...stopping, ...tasks, ...schedules, ...analytics,
  ...refusals(contract), ...removing, ...stop,
];
