/* The rules: those in force with what each has done, versions, a proposal in shadow, and approval. */
import { useState } from 'preact/hooks';
import { get, write, type Problem } from '../../base/api';
import { moment, number, t } from '../../base/words';
import { useLoad } from '../../ui/load';
import { Badge, Card, Loading, Refused, Stat, Stats } from '../../ui/parts';
import { Table, type Column } from '../../ui/table';
import { may, State, Step, word } from './parts';
import type { Page, PolicyHead, PolicyRules, Rule } from './shapes';

function ruleColumns(changes: boolean): Column<Rule>[] {
  const figure = (key: 'fired' | 'refused' | 'held' | 'cut'): Column<Rule> => ({
    name: t(`desk.rules.${key}`),
    key,
    of: (row) => row[key],
    show: (row) => number(row[key]),
    right: true,
  });

  return [
    { name: t('desk.rule'), key: 'rule', of: (row) => row.rule, show: (row) => <code>{row.rule}</code> },
    ...(changes
      ? [
          {
            name: t('desk.change'),
            key: 'change',
            of: (row: Rule) => row.change,
            show: (row: Rule) => <Badge tone={row.change === 'same' ? 'plain' : row.change === 'gone' ? 'bad' : 'warn'}>{word('change', row.change)}</Badge>,
          },
        ]
      : []),
    figure('fired'),
    figure('refused'),
    figure('held'),
    figure('cut'),
  ];
}

function InForce() {
  const { data, problem, again } = useLoad((signal) => get<PolicyRules>('/v1/policies/active', { signal }), []);

  return (
    <Card title={t('desk.rules.active')} aside={data ? <Badge tone="good">{t('desk.rules.version', { version: data.version, name: data.name })}</Badge> : undefined}>
      {problem && <Refused problem={problem} again={again} />}
      {!data && !problem && <Loading />}
      {data && <Table caption={t('desk.rules.active')} file="rules" columns={ruleColumns(false)} rows={data.rules} />}
    </Card>
  );
}

function Changes({ version, onDone }: { version: string; onDone: () => void }) {
  const { data, problem, again } = useLoad((signal) => get<PolicyRules>(`/v1/policies/${version}/changes`, { signal }), [version]);
  const done = (): void => {
    again();
    onDone();
  };
  const path = `/v1/policies/${version}`;

  if (problem) return <Refused problem={problem} again={again} />;
  if (!data) return <Loading />;
  return (
    <div class="stack">
      {data.in_shadow ? (
        <Stats>
          <Stat name={t('desk.rules.judged')} value={number(data.judged)} note={data.counted_ms ? t('desk.since', { time: moment(data.counted_ms) }) : ''} />
          <Stat name={t('desk.rules.refused')} value={number(data.refused)} />
          <Stat name={t('desk.rules.held')} value={number(data.held)} />
          <Stat name={t('desk.rules.cut')} value={number(data.cut)} />
        </Stats>
      ) : (
        <p class="quiet">{t('desk.shadow.not')}</p>
      )}
      <Table caption={t('desk.rules.changes', { version })} file={`changes-${version}`} columns={ruleColumns(true)} rows={data.rules} />
      <div class="row">
        <Step who="propose" label={t('desk.shadow')} what={t('desk.shadow.what')} method="PUT" path={`${path}/shadow`} onDone={done} />
        <Step who="decide" main label={t('desk.approve')} what={t('desk.rules.approve')} method="PUT" path={`${path}/approval`} onDone={done} />
        <Step who="decide" label={t('desk.reject')} what={t('desk.rules.reject')} method="PUT" path={`${path}/rejection`} onDone={done} />
        <Step who="propose" label={t('desk.withdraw')} what={t('desk.withdraw.what')} method="PUT" path={`${path}/withdrawal`} onDone={done} />
      </div>
    </div>
  );
}

function Propose({ onDone }: { onDone: () => void }) {
  const [text, setText] = useState('');
  const [reason, setReason] = useState('');
  const [problem, setProblem] = useState<Problem | null>(null);
  const go = async (): Promise<void> => {
    setProblem(null);
    try {
      await write('POST', '/v1/policies', { body: { text, reason: reason.trim() } });
      setText('');
      setReason('');
      onDone();
    } catch (error) {
      setProblem(error as Problem);
    }
  };
  const start = async (): Promise<void> => {
    try {
      const head = await get<PolicyRules>('/v1/policies/active');
      setText((await get<{ text: string }>(`/v1/policies/${head.version}`)).text);
    } catch (error) {
      setProblem(error as Problem);
    }
  };

  return (
    <Card
      title={t('desk.rules.propose')}
      aside={
        <button type="button" class="small" onClick={() => void start()}>
          {t('desk.rules.start')}
        </button>
      }
    >
      <p class="quiet">{t('desk.rules.propose.what')}</p>
      <form
        class="stack"
        onSubmit={(event) => {
          event.preventDefault();
          void go();
        }}
      >
        <div class="field">
          <label for="rules">{t('desk.rules.text')}</label>
          <textarea id="rules" rows={12} spellcheck={false} value={text} onInput={(event) => setText(event.currentTarget.value)} />
        </div>
        <div class="field">
          <label for="why">{t('desk.reason')}</label>
          <input id="why" value={reason} autoComplete="off" onInput={(event) => setReason(event.currentTarget.value)} />
        </div>
        {problem && <Refused problem={problem} />}
        <div class="row">
          <button type="submit" class="main" disabled={text.trim() === '' || reason.trim() === ''}>
            {t('desk.propose')}
          </button>
        </div>
      </form>
    </Card>
  );
}

export function Rules() {
  const { data, problem, again } = useLoad((signal) => get<Page<PolicyHead>>('/v1/policies', { signal }), []);
  const proposed = data?.entries.find((one) => one.state === 'proposed');
  const columns: Column<PolicyHead>[] = [
    { name: t('desk.version'), key: 'version', of: (row) => row.version },
    { name: t('desk.name'), key: 'name', of: (row) => row.name },
    { name: t('desk.state'), key: 'state', of: (row) => row.state, show: (row) => <State name={row.state} /> },
    { name: t('desk.time'), key: 'proposed_ms', of: (row) => row.proposed_ms, show: (row) => (row.proposed_ms ? moment(row.proposed_ms) : '–') },
    { name: t('desk.reason'), key: 'reason', of: (row) => row.reason || null, show: (row) => row.reason || (row.by_setting ? t('desk.bysetting') : '–') },
  ];

  return (
    <div class="stack">
      <h1>{t('desk.rules')}</h1>
      <InForce key={`active${data?.entries.find((one) => one.state === 'active')?.version}`} />
      {proposed && (
        <Card title={t('desk.rules.proposed', { version: proposed.version, name: proposed.name })} aside={<State name="proposed" />}>
          <Changes version={proposed.version} onDone={again} />
        </Card>
      )}
      {may('propose') && <Propose onDone={again} />}
      <Card title={t('desk.rules.versions')}>
        {problem && <Refused problem={problem} again={again} />}
        {data && <Table caption={t('desk.rules.versions')} file="policies" columns={columns} rows={data.entries} />}
      </Card>
    </div>
  );
}
