/* Totals of what is on the screen, as they change: GET /live, a stream of events, read by fetch because
 * EventSource can send no Authorization header. One stream for all that is watched. */
import { signal, type Signal } from '@preact/signals';
import { headers } from './api';

export interface Totals {
  like?: number;
  favorite?: number;
  view?: number;
  comment?: number;
  share?: number;
}

const IDS_MAX = 64; // PUSH_IDS_MAX of src/serve/push.h
const AGAIN_MS = [500, 1000, 2000, 5000, 10000];

const totals = new Map<string, Signal<Totals>>();
const watched = new Map<string, number>(); // how many look at it
let running: AbortController | null = null;
let planned: number | undefined;
let failures = 0;

/* off: nothing is watched; lost: it is tried again. */
export const liveState = signal<'off' | 'connecting' | 'on' | 'lost'>('off');

export function totalsOf(id: string): Signal<Totals> {
  let found = totals.get(id);
  if (!found) totals.set(id, (found = signal<Totals>({})));
  return found;
}

/* Answers of other calls tell the same numbers: the newest counts. */
export function told(id: string, some: Totals): void {
  const at = totalsOf(id);
  at.value = { ...at.value, ...some };
}

function plan(ms: number): void {
  clearTimeout(planned);
  planned = window.setTimeout(() => void listen(), ms);
}

/* Watches until the function it gives is called. */
export function watch(ids: string[]): () => void {
  let fresh = false;

  for (const id of ids) {
    const count = watched.get(id) ?? 0;
    watched.set(id, count + 1);
    fresh ||= count === 0;
  }
  if (fresh) plan(60);
  return () => {
    for (const id of ids) {
      const count = (watched.get(id) ?? 1) - 1;
      if (count > 0) watched.set(id, count);
      else watched.delete(id);
    }
    if (watched.size === 0) plan(60);
  };
}

function take(data: string): void {
  const news = JSON.parse(data) as Record<keyof Totals, Record<string, number>>;
  const byId = new Map<string, Totals>();

  for (const [name, values] of Object.entries(news))
    for (const [id, value] of Object.entries(values)) byId.set(id, { ...byId.get(id), [name]: value });
  byId.forEach((some, id) => told(id, some));
}

async function read(body: ReadableStream<Uint8Array>): Promise<void> {
  const reader = body.getReader();
  const decoder = new TextDecoder();
  let text = '';

  for (;;) {
    const { done, value } = await reader.read();
    if (done) return;
    text += decoder.decode(value, { stream: true });
    for (let end = text.indexOf('\n\n'); end >= 0; end = text.indexOf('\n\n')) {
      const event = text.slice(0, end);
      text = text.slice(end + 2);
      if (event.startsWith('data: ')) take(event.slice(6));
    }
  }
}

async function listen(): Promise<void> {
  const ids = [...watched.keys()].slice(-IDS_MAX);
  const own = new AbortController();

  running?.abort();
  running = own;
  if (ids.length === 0 || document.hidden) {
    liveState.value = 'off';
    return;
  }
  liveState.value = liveState.value === 'on' ? 'on' : 'connecting';
  try {
    const response = await fetch(`/live?items=${ids.join(',')}`, {
      headers: headers(),
      signal: own.signal,
      cache: 'no-store',
      credentials: 'omit',
    });
    if (response.ok && response.body) {
      liveState.value = 'on';
      failures = 0;
      await read(response.body);
    }
  } catch {
    /* tried again below */
  }
  if (running !== own) return;
  liveState.value = 'lost';
  plan(AGAIN_MS[Math.min(failures++, AGAIN_MS.length - 1)]!);
}

/* A tab that nobody sees needs no stream. */
document.addEventListener('visibilitychange', () => plan(0));
