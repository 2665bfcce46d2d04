// SPDX-License-Identifier: Apache-2.0
// One thing that was measured, and how it is shown.
import { load } from './machine.mjs';

const units = {
  x: (value) => `${value.toFixed(value < 0.5 ? 3 : 2)}x`,
  MB: (value) => `${value.toFixed(0)} MB`,
  ms: (value) => `${value.toFixed(value < 10 ? 2 : 0)} ms`,
  count: (value) => value.toFixed(0),
};

// `target` is the most that is allowed, `least` the least; neither: for information. `note` says what
// stands behind it.
export function figure(name, value, { unit = 'x', target = null, least = null, note = '', rounds = {} } = {}) {
  const met = target === null && least === null ? null : (target === null || value <= target) && (least === null || value >= least);
  return { name, value, unit, target, least, met, note, rounds, load: load() };
}

function limit({ target, least }, show) {
  if (target === null) {
    return least === null ? '' : `>= ${show(least)}`;
  }
  return `<= ${show(target)}`;
}

export const skipped = (name, reason) => ({ name, skipped: reason });

const cut = (text, length) => (text.length > length ? text : text.padEnd(length));

export const tableHead = `${cut('figure', 24)} ${cut('measured', 10)} ${cut('target', 10)} ${cut('', 7)} load  behind it`;

export function tableLine(one) {
  if (one.skipped) {
    return `${cut(one.name, 24)} skipped: ${one.skipped}`;
  }
  const show = units[one.unit];
  const verdict = one.met === null ? '' : one.met ? 'met' : 'MISSED';
  return `${cut(one.name, 24)} ${cut(show(one.value), 10)} ${cut(limit(one, show), 10)} ${cut(verdict, 7)} ${cut(String(one.load), 5)} ${one.note}`;
}

export const micro = (seconds) => `${(seconds * 1e6).toFixed(1)} us`;
