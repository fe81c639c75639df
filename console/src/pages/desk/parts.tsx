/* What the desk's pages share. */
import { useState } from 'preact/hooks';
import { write, type Problem } from '../../base/api';
import { session } from '../../base/session';
import { has, t } from '../../base/words';
import { Badge, Dialog, Field, Refused } from '../../ui/parts';

/* A word of the node in the reader's language. */
export const word = (group: string, name: string): string => (has(`desk.${group}.${name}`) ? t(`desk.${group}.${name}`) : name);

const TONES: Record<string, 'plain' | 'good' | 'warn' | 'bad'> = {
  open: 'warn',
  proposed: 'warn',
  appealed: 'bad',
  active: 'good',
  rejected: 'plain',
};

export const State = ({ name }: { name: string }) => <Badge tone={TONES[name] ?? 'plain'}>{word('state', name)}</Badge>;

/* Operators propose, approvers decide; on a node without credentials everybody is offered both. */
export const may = (who: 'propose' | 'decide'): boolean =>
  ['everybody', who === 'propose' ? 'operator' : 'approver'].includes(session.value?.role ?? 'nobody');

/* A step that needs a reason, for whom it is: a button, a question with the reason, the node's answer. */
export function Step({
  who,
  label,
  what,
  method,
  path,
  body = {},
  main = false,
  onDone,
}: {
  who: 'propose' | 'decide';
  label: string;
  what: string; // what will happen, in a sentence
  method: string;
  path: string;
  body?: Record<string, unknown>;
  main?: boolean;
  onDone: () => void;
}) {
  const [open, show] = useState(false);
  const [reason, setReason] = useState('');
  const [problem, setProblem] = useState<Problem | null>(null);
  const [busy, setBusy] = useState(false);
  const go = async (): Promise<void> => {
    setBusy(true);
    setProblem(null);
    try {
      await write(method, path, { body: { ...body, reason: reason.trim() } });
      show(false);
      setReason('');
      onDone();
    } catch (error) {
      setProblem(error as Problem);
    } finally {
      setBusy(false);
    }
  };

  if (!may(who)) return null;
  return (
    <>
      <button type="button" class={main ? 'main' : undefined} onClick={() => show(true)}>
        {label}
      </button>
      {open && (
        <Dialog title={label} onClose={() => show(false)}>
          <p>{what}</p>
          <form
            class="stack"
            onSubmit={(event) => {
              event.preventDefault();
              void go();
            }}
          >
            <Field label={t('desk.reason')} hint={t('desk.reason.hint')} value={reason} onInput={setReason} autoComplete="off" />
            {problem && <Refused problem={problem} />}
            <div class="row">
              <button type="submit" class="main" disabled={busy || reason.trim() === ''}>
                {label}
              </button>
              <button type="button" onClick={() => show(false)}>
                {t('cancel')}
              </button>
            </div>
          </form>
        </Dialog>
      )}
    </>
  );
}
