/* Words in two languages. A catalogue is a JSON file of "key": "text with {names}"; a page brings its
 * own (addWords). A test holds en and zh against each other, and the keys against the sources. */
import en from '../words/en.json';
import zh from '../words/zh.json';
import type { Problem } from './api';
import { settings, type Language } from './settings';

export type Catalogue = Record<string, string>;

const books: Record<Language, Catalogue> = { en: { ...en }, zh: { ...zh } };

export function addWords(words: Record<Language, Catalogue>): void {
  Object.assign(books.en, words.en);
  Object.assign(books.zh, words.zh);
}

export function has(key: string): boolean {
  return books[settings.value.language][key] !== undefined;
}

/* The text of a key, with {name} replaced. */
export function t(key: string, names: Record<string, string | number> = {}): string {
  const text = books[settings.value.language][key] ?? key;
  return text.replace(/\{(\w+)\}/g, (whole, name: string) => String(names[name] ?? whole));
}

/* key.one or key.other, with {count}. */
export function many(key: string, count: number, names: Record<string, string | number> = {}): string {
  const form = new Intl.PluralRules(locale()).select(count) === 'one' ? 'one' : 'other';
  return t(`${key}.${form}`, { count: number(count), ...names });
}

export const locale = (): string => (settings.value.language === 'zh' ? 'zh-CN' : 'en');

/* A refusal in words: ours where there are some, else the node's own; with what it says beside. */
export function tell(problem: Problem): string {
  const key = `problem.${problem.code}`;
  const words = has(key) ? t(key) : problem.title;
  const more = [problem.detail === problem.title ? '' : problem.detail, until(problem)].filter(Boolean);
  return more.length === 0 ? words : `${words} (${more.join('; ')})`;
}

const until = (problem: Problem): string => (problem.untilMs > 0 ? t('problem.until', { time: moment(problem.untilMs) }) : '');

/* --- numbers and times --------------------------------------------------------------------------- */

export const number = (value: number, digits = 0): string =>
  new Intl.NumberFormat(locale(), { maximumFractionDigits: digits }).format(value);

/* 1.2K, 1.2万: for buttons */
export const short = (value: number): string =>
  new Intl.NumberFormat(locale(), { notation: 'compact', maximumFractionDigits: 1 }).format(value);

export const percent = (share: number, digits = 1): string =>
  new Intl.NumberFormat(locale(), { style: 'percent', maximumFractionDigits: digits }).format(share);

export const moment = (ms: number): string =>
  new Intl.DateTimeFormat(locale(), { dateStyle: 'medium', timeStyle: 'short' }).format(ms);

export const day = (ms: number): string => new Intl.DateTimeFormat(locale(), { dateStyle: 'medium' }).format(ms);

/* "3 minutes ago" */
export function ago(ms: number, now = Date.now()): string {
  const seconds = Math.round((ms - now) / 1000);
  const steps: [number, Intl.RelativeTimeFormatUnit][] = [
    [86400, 'day'],
    [3600, 'hour'],
    [60, 'minute'],
  ];
  const form = new Intl.RelativeTimeFormat(locale(), { numeric: 'auto' });

  for (const [size, unit] of steps)
    if (Math.abs(seconds) >= size) return form.format(Math.trunc(seconds / size), unit);
  return form.format(seconds, 'second');
}
