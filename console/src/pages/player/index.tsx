/* The viewer's page: the feed, what I like, what I am told. */
import { link } from '../../base/router';
import { me } from '../../base/session';
import { t } from '../../base/words';
import { Choose } from '../../signin';
import { Dialog, Tabs } from '../../ui/parts';
import en from './en.json';
import { FeedView } from './feed';
import { question } from './likes';
import { MineView } from './mine';
import { NoticesView } from './notices';
import './player.css';
import zh from './zh.json';

export const words = { en, zh };

const parts = { mine: MineView, notices: NoticesView };

function Question() {
  const asked = question.value;

  if (!asked) return null;
  return (
    <Dialog title={t(asked.on ? 'player.meant.like' : 'player.meant.unlike', { item: asked.item })} onClose={() => asked.answer(false)}>
      <p>{t('player.meant.why')}</p>
      <div class="row">
        <button type="button" class="main" onClick={() => asked.answer(true)}>
          {t('player.meant.yes')}
        </button>
        <button type="button" onClick={() => asked.answer(false)}>
          {t('player.meant.no')}
        </button>
      </div>
    </Dialog>
  );
}

export function View({ path }: { path: string[] }) {
  if (me.value === '') return <Choose />;
  const name = path[0] ?? '';
  const Part = name in parts ? parts[name as keyof typeof parts] : FeedView;
  const tabs: [string, string][] = [
    [link('player'), t('player.tab.feed')],
    [link('player', 'mine'), t('player.tab.mine')],
    [link('player', 'notices'), t('player.tab.notices')],
  ];

  return (
    <>
      <Tabs label={t('player.tabs')} tabs={tabs} open={name in parts ? link('player', name) : link('player')} />
      <Part key={me.value} />
      <Question />
    </>
  );
}
