/* The small parts that pages are made of. */
import type { ComponentChildren } from 'preact';
import { useEffect, useId, useRef } from 'preact/hooks';
import type { Problem } from '../base/api';
import { t, tell } from '../base/words';
import { Icon, type IconName } from './icons';

export function Card({ title, aside, children }: { title?: string; aside?: ComponentChildren; children: ComponentChildren }) {
  return (
    <section class="card">
      {title && (
        <header>
          <h2>{title}</h2>
          {aside}
        </header>
      )}
      {children}
    </section>
  );
}

/* A number with its name; note says what it is compared with. */
export function Stat({ name, value, note, tone }: { name: string; value: string; note?: string; tone?: 'good' | 'bad' }) {
  return (
    <div class="stat">
      <dt>{name}</dt>
      <dd>
        {value}
        {note && <small class={tone}>{note}</small>}
      </dd>
    </div>
  );
}

export const Stats = ({ children }: { children: ComponentChildren }) => <dl class="stats">{children}</dl>;

export function Badge({ children, tone = 'plain' }: { children: ComponentChildren; tone?: 'plain' | 'good' | 'warn' | 'bad' }) {
  return <span class={`badge ${tone}`}>{children}</span>;
}

export function Empty({ icon = 'list', children }: { icon?: IconName; children: ComponentChildren }) {
  return (
    <div class="empty">
      <Icon name={icon} />
      <p>{children}</p>
    </div>
  );
}

export const Loading = () => (
  <p class="loading" role="status">
    {t('loading')}
  </p>
);

/* A refusal, with what to do about it. */
export function Refused({ problem, again }: { problem: Problem; again?: () => void }) {
  return (
    <div class="refused" role="alert">
      <p>
        <strong>{tell(problem)}</strong> <code>{problem.code}</code>
      </p>
      {problem.advice !== '' && (
        <p class="quiet" lang="en">
          {problem.advice}
        </p>
      )}
      {again && (
        <button type="button" onClick={again}>
          {t('again')}
        </button>
      )}
    </div>
  );
}

/* A labelled field. */
export function Field({
  label,
  value,
  onInput,
  hint,
  ...rest
}: {
  label: string;
  value: string;
  onInput: (value: string) => void;
  hint?: string;
  type?: string;
  inputMode?: 'numeric' | 'text' | 'search';
  autoComplete?: string;
  placeholder?: string;
}) {
  const id = useId();
  return (
    <div class="field">
      <label for={id}>{label}</label>
      <input
        id={id}
        value={value}
        aria-describedby={hint ? `${id}h` : undefined}
        onInput={(event) => onInput(event.currentTarget.value)}
        {...rest}
      />
      {hint && (
        <small id={`${id}h`} class="quiet">
          {hint}
        </small>
      )}
    </div>
  );
}

/* One of a few: radio buttons that look like one bar. */
export function Choice<T extends string>({
  label,
  value,
  options,
  onChange,
}: {
  label: string;
  value: T;
  options: [T, string][];
  onChange: (value: T) => void;
}) {
  const name = useId();
  return (
    <fieldset class="choice">
      <legend>{label}</legend>
      <div>
        {options.map(([option, words]) => (
          <label key={option}>
            <input type="radio" name={name} checked={option === value} onChange={() => onChange(option)} />
            <span>{words}</span>
          </label>
        ))}
      </div>
    </fieldset>
  );
}

export function Switch({ label, on, onChange, hint }: { label: string; on: boolean; onChange: (on: boolean) => void; hint?: string }) {
  const id = useId();
  return (
    <div class="switch">
      <span>
        <label for={id}>{label}</label>
        {hint && (
          <small id={`${id}h`} class="quiet">
            {hint}
          </small>
        )}
      </span>
      <input
        id={id}
        type="checkbox"
        role="switch"
        checked={on}
        aria-describedby={hint ? `${id}h` : undefined}
        onChange={(event) => onChange(event.currentTarget.checked)}
      />
    </div>
  );
}

/* A question over the page. The browser keeps the focus in it and gives it back; Escape says no. */
export function Dialog({ title, onClose, children }: { title: string; onClose: () => void; children: ComponentChildren }) {
  const at = useRef<HTMLDialogElement>(null);
  const id = useId();

  useEffect(() => {
    const before = document.activeElement as HTMLElement | null;
    const dialog = at.current;
    dialog?.showModal();
    return () => {
      dialog?.close(); // while it is open nothing else can have the focus
      before?.focus({ preventScroll: true });
    };
  }, []);
  return (
    <dialog
      ref={at}
      aria-labelledby={id}
      onCancel={(event) => {
        event.preventDefault();
        onClose();
      }}
      onClick={(event) => event.target === at.current && onClose()}
    >
      <div class="inside">
        <header>
          <h2 id={id}>{title}</h2>
          <button type="button" class="bare" aria-label={t('close')} onClick={onClose}>
            <Icon name="close" />
          </button>
        </header>
        {children}
      </div>
    </dialog>
  );
}

/* Links of a page's parts; the one that is open is marked. */
export function Tabs({ label, tabs, open }: { label: string; tabs: [string, string][]; open: string }) {
  return (
    <nav class="tabs" aria-label={label}>
      {tabs.map(([href, words]) => (
        <a key={href} href={href} aria-current={href === open ? 'page' : undefined}>
          {words}
        </a>
      ))}
    </nav>
  );
}
