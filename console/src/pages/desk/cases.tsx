/* The queue: cases by state, and opening one. */
import { useState } from 'preact/hooks';
import { get, write, type Problem } from '../../base/api';
import { go, link } from '../../base/router';
import { ago, moment, t } from '../../base/words';
import { useLoad } from '../../ui/load';
import { Card, Choice, Empty, Field, Loading, Refused } from '../../ui/parts';
import { Table, type Column } from '../../ui/table';
import { may, State, word } from './parts';
import type { Case, CaseEntry, Page } from './shapes';

const STATES = ['open', 'proposed', 'appealed', 'applied'] as const;
type Which = (typeof STATES)[number];

function columns(): Column<CaseEntry>[] {
  return [
    {
      name: t('desk.case'),
      key: 'case',
      of: (row) => row.case,
      show: (row) => <a href={link('desk', 'case', row.case)}>{t('desk.case.number', { id: row.case })}</a>,
    },
    { name: t('desk.about'), key: 'about', of: (row) => `${row.subject} ${row.about}`, show: (row) => t(`desk.about.${row.subject}`, { id: row.about }) },
    { name: t('desk.kind'), key: 'kind', of: (row) => row.kind, show: (row) => word('kind', row.kind) },
    { name: t('desk.state'), key: 'state', of: (row) => row.state, show: (row) => <State name={row.state} /> },
    { name: t('desk.opened'), key: 'opened_ms', of: (row) => row.opened_ms, show: (row) => (row.opened_ms ? ago(row.opened_ms) : '–') },
    {
      name: t('desk.ends'),
      key: 'due_ms',
      of: (row) => row.due_ms ?? row.until_ms,
      show: (row) => (row.due_ms ?? row.until_ms ? moment((row.due_ms ?? row.until_ms)!) : '–'),
    },
  ];
}

function Queue() {
  const [which, choose] = useState<Which>('open');
  const [more, setMore] = useState<CaseEntry[]>([]);
  const [cursor, setCursor] = useState<string | null>(null);
  const [trouble, setTrouble] = useState<Problem | null>(null);
  const { data, problem, busy, again } = useLoad(
    async (signal) => {
      const page = await get<Page<CaseEntry>>(`/v1/cases?state=${which}&count=50`, { signal });
      setMore([]);
      setCursor(page.cursor);
      return page.entries;
    },
    [which],
  );
  const next = async (): Promise<void> => {
    try {
      const page = await get<Page<CaseEntry>>(`/v1/cases?state=${which}&count=50&cursor=${cursor}`);
      setMore([...more, ...page.entries]);
      setCursor(page.cursor);
    } catch (error) {
      setTrouble(error as Problem);
    }
  };
  const rows = [...(data ?? []), ...more];

  return (
    <Card
      title={t('desk.queue')}
      aside={
        <button type="button" class="small" onClick={again}>
          {t('desk.renew')}
        </button>
      }
    >
      <Choice label={t('desk.which')} value={which} options={STATES.map((one) => [one, word('state', one)])} onChange={choose} />
      {(problem ?? trouble) && <Refused problem={(problem ?? trouble)!} again={again} />}
      {busy && !data && <Loading />}
      {data && rows.length === 0 && <Empty icon="shield">{t('desk.queue.none')}</Empty>}
      {rows.length > 0 && <Table caption={t('desk.queue')} file={`cases-${which}`} columns={columns()} rows={rows} />}
      {cursor && (
        <button type="button" onClick={() => void next()}>
          {t('more')}
        </button>
      )}
    </Card>
  );
}

function Open() {
  const [kind, setKind] = useState<'review' | 'quarantine'>('review');
  const [subject, setSubject] = useState<'item' | 'account'>('item');
  const [id, setId] = useState('');
  const [reason, setReason] = useState('');
  const [problem, setProblem] = useState<Problem | null>(null);
  const open = async (): Promise<void> => {
    try {
      const made = await write<Case>('POST', '/v1/cases', { body: { kind, subject, id: id.trim(), reason: reason.trim() } });
      go('desk', 'case', made.case);
    } catch (error) {
      setProblem(error as Problem);
    }
  };

  return (
    <Card title={t('desk.open')}>
      <p class="quiet">{t('desk.open.what')}</p>
      <form
        class="stack"
        onSubmit={(event) => {
          event.preventDefault();
          void open();
        }}
      >
        <Choice
          label={t('desk.kind')}
          value={kind}
          options={[
            ['review', word('kind', 'review')],
            ['quarantine', word('kind', 'quarantine')],
          ]}
          onChange={setKind}
        />
        <Choice
          label={t('desk.about')}
          value={subject}
          options={[
            ['item', t('desk.subject.item')],
            ['account', t('desk.subject.account')],
          ]}
          onChange={setSubject}
        />
        <Field label={t('desk.id')} value={id} onInput={setId} inputMode="numeric" autoComplete="off" />
        <Field label={t('desk.reason')} hint={t('desk.reason.hint')} value={reason} onInput={setReason} autoComplete="off" />
        {problem && <Refused problem={problem} />}
        <div class="row">
          <button type="submit" class="main" disabled={!/^\d{1,20}$/.test(id.trim()) || reason.trim() === ''}>
            {t('desk.open.go')}
          </button>
        </div>
      </form>
    </Card>
  );
}

export function Cases() {
  return (
    <div class="stack">
      <h1>{t('desk.title')}</h1>
      <Queue />
      {may('propose') && <Open />}
    </div>
  );
}
