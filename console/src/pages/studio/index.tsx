/* The creator's page: all of it, one item, the audience. */
import { useState } from 'preact/hooks';
import { get, type Problem } from '../../base/api';
import { link } from '../../base/router';
import { chooseCreator, creator, session } from '../../base/session';
import { t } from '../../base/words';
import { Field, Refused, Tabs } from '../../ui/parts';
import { Audience } from './audience';
import en from './en.json';
import { ItemView } from './item';
import { Overview } from './overview';
import './studio.css';
import zh from './zh.json';

export const words = { en, zh };

/* On a node that trusts everybody: whose items? Offered are the makers of what is warm now. */
function ChooseCreator() {
  const [text, setText] = useState('');
  const [found, setFound] = useState<string[]>([]);
  const [problem, setProblem] = useState<Problem | null>(null);
  const suggest = async (): Promise<void> => {
    try {
      const top = await get<{ items: { item: string }[] }>('/v1/top?scope=all&count=8');
      const items = await Promise.all(top.items.map((one) => get<{ creator: string | null }>(`/v1/items/${one.item}`)));
      setFound([...new Set(items.map((one) => one.creator).filter((one): one is string => one !== null && one !== '0'))]);
    } catch (error) {
      setProblem(error as Problem);
    }
  };

  return (
    <form
      class="card narrow"
      onSubmit={(event) => {
        event.preventDefault();
        if (/^\d{1,20}$/.test(text.trim())) chooseCreator(text.trim());
      }}
    >
      <h1>{t('studio.who')}</h1>
      <Field label={t('studio.who.id')} value={text} onInput={setText} inputMode="numeric" autoComplete="off" />
      <button type="submit" class="main">
        {t('who.go')}
      </button>
      <button type="button" onClick={() => void suggest()}>
        {t('studio.who.suggest')}
      </button>
      {problem && <Refused problem={problem} />}
      <div class="row">
        {found.map((one) => (
          <button key={one} type="button" onClick={() => chooseCreator(one)}>
            {one}
          </button>
        ))}
      </div>
    </form>
  );
}

export function View({ path }: { path: string[] }) {
  if (path[0] === 'item' && path[1]) return <ItemView key={path[1]} item={path[1]} />;
  if (creator.value === '') return <ChooseCreator />;
  const tabs: [string, string][] = [
    [link('studio'), t('studio.tab.all')],
    [link('studio', 'audience'), t('studio.audience')],
  ];

  return (
    <>
      <div class="row apart">
        <Tabs label={t('studio.tabs')} tabs={tabs} open={path[0] === 'audience' ? link('studio', 'audience') : link('studio')} />
        {session.value?.open && (
          <button type="button" onClick={() => chooseCreator('')}>
            {t('studio.who.other')}
          </button>
        )}
      </div>
      {path[0] === 'audience' ? <Audience key={creator.value} /> : <Overview key={creator.value} />}
    </>
  );
}
