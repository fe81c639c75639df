/* Short messages at the edge, each with one action at most ("undo"); read out by screen readers. They
 * stay longer in elder mode, and while the pointer or the focus is on them. */
import { signal } from '@preact/signals';
import { settings } from '../base/settings';
import { t } from '../base/words';
import { Icon } from './icons';

interface Toast {
  id: number;
  text: string;
  bad: boolean;
  action?: { label: string; run: () => void };
}

const toasts = signal<Toast[]>([]);
const timers = new Map<number, number>();
let next = 1;

const stay = (): number => (settings.value.elder ? 30000 : 8000);

function drop(id: number): void {
  clearTimeout(timers.get(id));
  timers.delete(id);
  toasts.value = toasts.value.filter((toast) => toast.id !== id);
}

function hold(id: number): void {
  clearTimeout(timers.get(id));
}

function count(id: number): void {
  hold(id);
  timers.set(id, window.setTimeout(() => drop(id), stay()));
}

export function toast(text: string, more: { bad?: boolean; action?: Toast['action'] } = {}): void {
  const id = next++;
  const fresh: Toast = { id, text, bad: more.bad ?? false };

  if (more.action) fresh.action = more.action;
  toasts.value.slice(0, -2).forEach((old) => drop(old.id));
  toasts.value = [...toasts.value, fresh];
  count(id);
}

export function Toasts() {
  return (
    <div class="toasts" role="status" aria-live="polite">
      {toasts.value.map((one) => (
        <div
          key={one.id}
          class={`toast${one.bad ? ' bad' : ''}`}
          onMouseEnter={() => hold(one.id)}
          onMouseLeave={() => count(one.id)}
          onFocusCapture={() => hold(one.id)}
          onBlurCapture={() => count(one.id)}
        >
          <span>{one.text}</span>
          {one.action && (
            <button
              type="button"
              class="link"
              onClick={() => {
                drop(one.id);
                one.action?.run();
              }}
            >
              {one.action.label}
            </button>
          )}
          <button type="button" class="bare" aria-label={t('close')} onClick={() => drop(one.id)}>
            <Icon name="close" />
          </button>
        </div>
      ))}
    </div>
  );
}
