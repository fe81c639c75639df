/* Calls to the node (docs/http.md): JSON under /v1, who is calling in the Authorization header. No
 * cookie is ever set or sent, so no other page can act in this person's name. */
import { proof, refused } from './session';

/* What went wrong, in the node's own words (RFC 9457). */
export class Problem extends Error {
  constructor(
    readonly code: string,
    readonly title: string,
    readonly status: number,
    readonly certain: boolean, // it was certainly not applied
    readonly detail = '',
    readonly advice = '',
    readonly retryMs = 0,
    readonly untilMs = 0, // of a restriction
  ) {
    super(title);
  }
}

const lost = (): Problem => new Problem('NETWORK', 'the node cannot be reached', 0, false);

async function problemOf(response: Response): Promise<Problem> {
  const body = (await response.json().catch(() => ({}))) as Record<string, unknown>;
  const text = (name: string): string => (typeof body[name] === 'string' ? (body[name] as string) : '');

  return new Problem(
    text('code') || `HTTP${response.status}`,
    text('title') || response.statusText,
    response.status,
    body.certain !== false,
    text('detail'),
    text('advice'),
    typeof body.retry_ms === 'number' ? body.retry_ms : 0,
    typeof body.until_ms === 'number' ? body.until_ms : 0,
  );
}

export function headers(): Record<string, string> {
  return proof.value === '' ? {} : { authorization: `Bearer ${proof.value}` };
}

export interface Options {
  body?: unknown;
  key?: string; // Idempotency-Key
  source?: string; // what the person used: button, double-tap, voice, assistive
  signal?: AbortSignal;
}

/* One request. Throws a Problem. */
export async function call<T>(method: string, path: string, options: Options = {}): Promise<T> {
  const head = headers();
  const request: RequestInit = { method, headers: head, cache: 'no-store', credentials: 'omit' };

  if (options.body !== undefined) {
    head['content-type'] = 'application/json';
    request.body = JSON.stringify(options.body);
  }
  if (options.key) head['idempotency-key'] = options.key;
  if (options.source) head['x-zan-source'] = options.source;
  if (options.signal) request.signal = options.signal;
  const response = await fetch(path, request).catch(() => {
    throw lost();
  });
  if (!response.ok) {
    const problem = await problemOf(response);
    if (response.status === 401) refused(problem);
    throw problem;
  }
  return response.json().catch(() => {
    throw lost();
  }) as Promise<T>;
}

export const get = <T>(path: string, options?: Options): Promise<T> => call<T>('GET', path, options);

/* UUID version 7: the time, then chance. Names an operation, so that asking again changes nothing. */
export function operation(now = Date.now()): string {
  const bytes = crypto.getRandomValues(new Uint8Array(16));
  let time = now;

  for (let i = 5; i >= 0; i--) {
    bytes[i] = time % 256;
    time = Math.floor(time / 256);
  }
  bytes[6] = (bytes[6]! & 0x0f) | 0x70;
  bytes[8] = (bytes[8]! & 0x3f) | 0x80;
  const hex = Array.from(bytes, (byte) => byte.toString(16).padStart(2, '0')).join('');
  return `${hex.slice(0, 8)}-${hex.slice(8, 12)}-${hex.slice(12, 16)}-${hex.slice(16, 20)}-${hex.slice(20)}`;
}

const pause = (ms: number): Promise<void> => new Promise((done) => setTimeout(done, ms));

/* A write that may be asked for again: while nobody knows whether it was applied, or the node is busy,
 * with the same operation id, so that it happens once. */
export async function write<T>(method: string, path: string, options: Options = {}): Promise<T> {
  const key = options.key ?? operation();

  for (let attempt = 0; ; attempt++) {
    try {
      return await call<T>(method, path, { ...options, key });
    } catch (error) {
      const problem = error as Problem;
      const again = !problem.certain || (problem.retryMs > 0 && problem.retryMs <= 2000);
      if (!again || attempt === 3) throw error;
      await pause(Math.max(problem.retryMs, 300 * 2 ** attempt));
    }
  }
}
