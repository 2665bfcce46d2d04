// SPDX-License-Identifier: Apache-2.0
// Follows a job with the npm package eventsource, as a browser does: node event_stream_client.mjs
// SOCKET JOB LAST. Prints "NUMBER TYPE" for every event behind number LAST and ends with the job.
import http from 'node:http';
import {Readable} from 'node:stream';
import {EventSource} from 'eventsource';

const [socket, job, last] = process.argv.slice(2);

// fetch() over a UNIX socket. Where the client has seen nothing yet, it begins behind LAST.
function fetchOverSocket(url, init) {
  return new Promise((resolve, reject) => {
    const headers = {'Last-Event-ID': last, ...init.headers};
    const options = {socketPath: socket, path: new URL(url).pathname, headers, signal: init.signal};
    const request = http.request(options, (response) => resolve({
      url: String(url),
      redirected: false,
      status: response.statusCode,
      headers: new Headers(response.headers),
      body: Readable.toWeb(response),
    }));
    request.on('error', reject);
    request.end();
  });
}

const types = ['queued', 'started', 'progress', 'paused', 'interrupted', 'requested', 'changed', 'log'];
const ends = ['succeeded', 'partial', 'failed', 'cancelled'];
const source = new EventSource(`http://localhost/api/v1/jobs/${job}/events`, {fetch: fetchOverSocket});
source.addEventListener('error', (event) => {
  console.log(`lost ${event.code ?? ''}`);
  if (source.readyState === EventSource.CLOSED) {
    process.exit(1);  // it was told not to come again
  }
});
source.addEventListener('progress', () => console.log('live'));
for (const type of [...types, ...ends]) {
  source.addEventListener(`job.${type}`, (event) => {
    console.log(`${event.lastEventId} ${event.type} ${JSON.parse(event.data).seq}`);
    if (ends.includes(type)) {
      process.exit(0);
    }
  });
}
