/* The node's own figures: GET /metrics, read every two seconds while somebody looks. Format: Prometheus
 * text 0.0.4; the names are those of docs/operating.md. */
import { signal } from '@preact/signals';
import { headers, Problem } from '../../base/api';

export const STEP_MS = 2000;
const KEPT = 90; // three minutes

export interface Sample {
  at: number; // ms
  of: Map<string, number>; // name{labels}: value
}

export const samples = signal<Sample[]>([]);
export const trouble = signal<Problem | null>(null);

export function parse(text: string): Map<string, number> {
  const found = new Map<string, number>();
  for (const line of text.split('\n')) {
    const space = line.lastIndexOf(' ');
    if (space > 0 && !line.startsWith('#')) found.set(line.slice(0, space), Number(line.slice(space + 1)));
  }
  return found;
}

async function look(): Promise<void> {
  const response = await fetch('/metrics', { headers: headers(), cache: 'no-store', credentials: 'omit' }).catch(() => null);

  if (response === null) {
    trouble.value = new Problem('NETWORK', 'the node cannot be reached', 0, true);
    return;
  }
  if (!response.ok) {
    const body = (await response.json().catch(() => ({}))) as { code?: string; title?: string; advice?: string };
    trouble.value = new Problem(body.code ?? `HTTP${response.status}`, body.title ?? '', response.status, true, '', body.advice ?? '');
    return;
  }
  const next = { at: Date.now(), of: parse(await response.text()) };
  const last = samples.value[samples.value.length - 1];
  const same = last && last.of.get('zan_start_time_seconds') === next.of.get('zan_start_time_seconds');
  trouble.value = null;
  samples.value = [...(same ? samples.value : []), next].slice(-KEPT); // counters of a new process begin at 0
}

/* Looks until the returned function is called; not while the tab is hidden. */
export function follow(): () => void {
  const tick = (): void => {
    if (document.visibilityState === 'visible') void look();
  };
  const timer = setInterval(tick, STEP_MS);

  tick();
  document.addEventListener('visibilitychange', tick);
  return () => {
    clearInterval(timer);
    document.removeEventListener('visibilitychange', tick);
  };
}

export const value = (sample: Sample | undefined, name: string): number => sample?.of.get(name) ?? 0;

/* Of all series of a name: [labels, value]. */
export function series(sample: Sample | undefined, name: string): [Record<string, string>, number][] {
  const found: [Record<string, string>, number][] = [];
  for (const [key, one] of sample?.of ?? []) {
    if (!key.startsWith(`${name}{`)) continue;
    const labels = [...key.matchAll(/(\w+)="((?:[^"\\]|\\.)*)"/g)].map((match) => [match[1]!, match[2]!] as const);
    found.push([Object.fromEntries(labels), one]);
  }
  return found;
}

/* How much a name (or all of a name with labels) grew a second from one sample to the next. */
export function rate(from: Sample, to: Sample, name: string): number {
  const sum = (sample: Sample): number =>
    sample.of.get(name) ?? series(sample, name).reduce((before, [, one]) => before + one, 0);
  return Math.max(0, ((sum(to) - sum(from)) * 1000) / Math.max(1, to.at - from.at));
}

/* The least bound in seconds under which this share of the requests between two samples stayed; null: there
 * were none. A histogram knows no more than its bounds. */
export function within(from: Sample, to: Sample, share: number): number | null {
  const name = 'zan_request_duration_seconds_bucket';
  const bounds = series(to, name)
    .map(([labels, count]) => ({
      bound: labels.le === '+Inf' ? Infinity : Number(labels.le),
      count: count - (from.of.get(`${name}{le="${labels.le}"}`) ?? 0),
    }))
    .sort((a, b) => a.bound - b.bound);
  const all = bounds[bounds.length - 1]?.count ?? 0;

  if (all <= 0) return null;
  return bounds.find((one) => one.count >= share * all)?.bound ?? null;
}
