/* What a page has asked the node for: loading, there, or refused. */
import { useEffect, useState } from 'preact/hooks';
import type { Problem } from '../base/api';

export interface Loaded<T> {
  data: T | null;
  problem: Problem | null;
  busy: boolean;
  again: () => void;
}

/* Asks anew when something of `by` changes; an answer that is no longer wanted is dropped. What was
 * there stays on the screen while it is asked for again. */
export function useLoad<T>(ask: (signal: AbortSignal) => Promise<T>, by: unknown[]): Loaded<T> {
  const [state, set] = useState<{ data: T | null; problem: Problem | null; busy: boolean }>({
    data: null,
    problem: null,
    busy: true,
  });
  const [round, turn] = useState(0);

  useEffect(() => {
    const own = new AbortController();

    set((old) => ({ ...old, busy: true }));
    ask(own.signal).then(
      (data) => own.signal.aborted || set({ data, problem: null, busy: false }),
      (problem: Problem) => own.signal.aborted || set((old) => ({ ...old, problem, busy: false })),
    );
    return () => own.abort();
  }, [...by, round]);
  return { ...state, again: () => turn((value) => value + 1) };
}
