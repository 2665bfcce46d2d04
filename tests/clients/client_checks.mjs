// SPDX-License-Identifier: Apache-2.0
// What the checks of official clients have in common.

// The error that a promise is rejected with.
export async function refusal(promise) {
  try {
    await promise;
  } catch (error) {
    return error;
  }
  throw new Error('the request was expected to fail');
}

// Runs the checks by their names, says what came of each, and ends the process: 1 when one failed.
export async function run(checks) {
  let failed = 0;
  for (const [name, check] of Object.entries(checks)) {
    try {
      await check();
      console.log(`ok      ${name}`);
    } catch (error) {
      ++failed;
      console.log(`FAILED  ${name}\n${error.stack}`);
    }
  }
  process.exit(failed === 0 ? 0 : 1);
}

export const question = 'Classify as bug, question or praise: it crashes on start';

// The smallest picture: one pixel, PNG, in base64.
export const pixel =
  'iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGAWjR9awAAAABJRU5ErkJggg==';

export const rowSchema = {
  type: 'object', additionalProperties: false, required: ['label', 'score'],
  properties: {
    label: { type: 'string', enum: ['bug', 'question'] },
    score: { type: 'integer', minimum: 1, maximum: 5 },
  },
};

export function isRow({ label, score }) {
  return ['bug', 'question'].includes(label) && Number.isInteger(score) && score >= 1 && score <= 5;
}
