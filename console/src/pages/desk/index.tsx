/* The desk of who decides cases and rules. */
import { link } from '../../base/router';
import { t } from '../../base/words';
import { Tabs } from '../../ui/parts';
import { CaseView } from './case';
import { Cases } from './cases';
import './desk.css';
import en from './en.json';
import { Rules } from './rules';
import zh from './zh.json';

export const words = { en, zh };

export function View({ path }: { path: string[] }) {
  const tabs: [string, string][] = [
    [link('desk'), t('desk.cases')],
    [link('desk', 'rules'), t('desk.rules')],
  ];

  return (
    <>
      <Tabs label={t('desk.tabs')} tabs={tabs} open={path[0] === 'rules' ? link('desk', 'rules') : link('desk')} />
      {path[0] === 'rules' ? <Rules /> : path[0] === 'case' && path[1] ? <CaseView key={path[1]} id={path[1]} /> : <Cases />}
    </>
  );
}
