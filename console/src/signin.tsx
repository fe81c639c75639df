/* How a person gets in (docs/console.md). */
import { useState } from 'preact/hooks';
import type { Problem } from './base/api';
import { go } from './base/router';
import { choose, chooseCreator, login, logout, me, proof, session } from './base/session';
import { t } from './base/words';
import { Icon } from './ui/icons';
import { Card, Field, Refused } from './ui/parts';

const isId = (text: string): boolean => /^[0-9]{1,20}$/.test(text.trim());

/* In the bar: who is here. */
export function Who({ onOpen }: { onOpen: () => void }) {
  const now = session.value;

  if (!now || now.role === 'nobody') return null;
  const words = me.value !== '' ? t('who.account', { account: me.value }) : t(`role.${now.role}`);
  return (
    <button type="button" class="who" onClick={onOpen} aria-label={t('who.change', { who: words })}>
      {words}
    </button>
  );
}

/* A node that asks for nothing: which account to be. */
export function Choose() {
  const [account, set] = useState(me.value);
  const [wrong, setWrong] = useState(false);

  return (
    <form
      class="card narrow"
      onSubmit={(event) => {
        event.preventDefault();
        setWrong(!isId(account));
        if (!isId(account)) return;
        choose(account.trim());
        chooseCreator('');
        go('player');
      }}
    >
      <h1>{t('who.title')}</h1>
      <p class="quiet">{t('who.open')}</p>
      <Field label={t('who.id')} value={account} onInput={set} inputMode="numeric" autoComplete="off" hint={t('who.hint')} />
      {wrong && (
        <p role="alert" class="bad">
          {t('who.wrong')}
        </p>
      )}
      <button type="submit" class="main">
        {t('who.go')}
      </button>
    </form>
  );
}

export function SignIn() {
  const [text, set] = useState('');
  const [problem, setProblem] = useState<Problem | null>(null);
  const [busy, setBusy] = useState(false);
  const now = session.value;

  if (now?.open) return <Choose />;
  const enter = async (): Promise<void> => {
    setBusy(true);
    setProblem(null);
    try {
      await login(text);
      location.hash = '';
    } catch (error) {
      setProblem(error as Problem);
    }
    setBusy(false);
  };
  return (
    <div class="narrow">
      <Card>
        <form
          onSubmit={(event) => {
            event.preventDefault();
            void enter();
          }}
        >
          <h1>
            <Icon name="shield" /> {t('signin')}
          </h1>
          <p class="quiet">{t('signin.how')}</p>
          <Field label={t('signin.proof')} value={text} onInput={set} type="password" autoComplete="off" hint={t('signin.kept')} />
          {problem && <Refused problem={problem} />}
          <button type="submit" class="main" disabled={busy || text.trim() === ''}>
            {t('signin.go')}
          </button>
        </form>
        {proof.value !== '' && (
          <button type="button" onClick={() => void logout()}>
            {t('signout')}
          </button>
        )}
      </Card>
    </div>
  );
}
