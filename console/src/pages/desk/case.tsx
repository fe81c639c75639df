/* One case: what it is about, the evidence, and what two people decide. */
import { useState } from 'preact/hooks';
import { get, type Problem } from '../../base/api';
import { link } from '../../base/router';
import { moment, number, percent, t } from '../../base/words';
import { useLoad } from '../../ui/load';
import { Badge, Card, Empty, Field, Loading, Refused, Stat, Stats } from '../../ui/parts';
import { Table, type Column } from '../../ui/table';
import { may, State, Step, word } from './parts';
import type { Case, Page, WeighedLike } from './shapes';

/* --- what happened ---------------------------------------------------------------------------------- */

const caller = (id: string): string => (id === '0' ? t('desk.node') : t('desk.caller', { id }));

function History({ one }: { one: Case }) {
  const steps: [string, number | null, string, string, string][] = [
    [t('desk.step.opened'), one.opened_ms, caller(one.opener), one.opened_text, one.opened_sequence],
    [t('desk.step.proposed'), null, caller(one.proposer), one.proposed === 'none' ? '' : word('decision', one.proposed), one.proposed_sequence],
    [t('desk.step.decided'), one.decided_ms, caller(one.approver), one.decided_text, one.decided_sequence],
    [t('desk.step.appealed'), null, t(`desk.about.${one.subject}`, { id: one.about }), one.appeal_text, one.appealed_sequence],
    [t('desk.step.ended'), null, '', '', one.ended_sequence],
  ];

  return (
    <Card title={t('desk.history')}>
      <ol class="steps">
        {steps
          .filter(([, , , , sequence]) => sequence !== '0')
          .map(([name, time, who, text, sequence]) => (
            <li key={name}>
              <strong>{name}</strong> {who}
              {time !== null && <span class="quiet"> {moment(time)}</span>}
              {text !== '' && <p>{text}</p>}
              <small class="quiet">{t('desk.record', { sequence })}</small>
            </li>
          ))}
      </ol>
      {one.before !== '0' && <a href={link('desk', 'case', one.before)}>{t('desk.before', { id: one.before })}</a>}
    </Card>
  );
}

/* --- the likes it is about --------------------------------------------------------------------------- */

const MARKS = ['plain', 'held', 'quarantined', 'voided'];

function Marks({ likes }: { likes: WeighedLike[] }) {
  const parts = MARKS.map((mark) => ({ mark, count: likes.filter((like) => like.mark === mark).length })).filter((part) => part.count > 0);

  return (
    <>
      <div class="parts" role="img" aria-label={parts.map((part) => `${word('mark', part.mark)}: ${part.count}`).join(', ')}>
        {parts.map((part) => (
          <span key={part.mark} class={part.mark} style={{ flexGrow: part.count }} />
        ))}
      </div>
      <ul class="legend">
        {parts.map((part) => (
          <li key={part.mark} class={part.mark}>
            {word('mark', part.mark)} {number(part.count)} <span class="quiet">{percent(part.count / likes.length)}</span>
          </li>
        ))}
      </ul>
    </>
  );
}

function Likes({ item }: { item: string }) {
  const { data, problem, again } = useLoad((signal) => get<Page<WeighedLike>>(`/v1/cases/likes/${item}?count=500`, { signal }), [item]);
  const columns: Column<WeighedLike>[] = [
    { name: t('desk.account'), key: 'account', of: (row) => row.account },
    { name: t('desk.time'), key: 'time_ms', of: (row) => row.time_ms, show: (row) => (row.time_ms ? moment(row.time_ms) : '–') },
    { name: t('desk.mark'), key: 'mark', of: (row) => row.mark, show: (row) => <Badge tone={row.mark === 'plain' ? 'good' : 'warn'}>{word('mark', row.mark)}</Badge> },
    { name: t('desk.why'), key: 'reason', of: (row) => row.reason, show: (row) => word('why', row.reason) },
    { name: t('desk.weight'), key: 'weight_pct', of: (row) => row.weight_pct, show: (row) => percent(row.weight_pct / 100, 0), right: true },
  ];

  return (
    <Card title={t('desk.likes')}>
      <p class="quiet">{t('desk.likes.what')}</p>
      {problem && <Refused problem={problem} again={again} />}
      {!data && !problem && <Loading />}
      {data?.entries.length === 0 && <Empty>{t('desk.likes.none')}</Empty>}
      {data && data.entries.length > 0 && (
        <>
          <Marks likes={data.entries} />
          <Table caption={t('desk.likes')} file={`likes-${item}`} columns={columns} rows={data.entries} />
          {data.cursor && <p class="quiet">{t('desk.likes.more', { count: number(data.entries.length) })}</p>}
        </>
      )}
    </Card>
  );
}

/* --- deciding ---------------------------------------------------------------------------------------- */

const REASONS = ['velocity', 'lockstep', 'first-timers', 'young', 'hour', 'unliker', 'device', 'network', 'policy', 'incentive'];

/* Decisions that may be proposed about a subject, and what each may be told beside (docs/reviewing.md). */
const DECISIONS: Record<string, { of: ('item' | 'account')[]; value?: 'percent' | 'points' | 'likes'; until?: boolean; only?: boolean }> = {
  void: { of: ['item', 'account'], only: true },
  credit: { of: ['item', 'account'], only: true },
  quarantine: { of: ['item'], until: true },
  pause: { of: ['item'], until: true },
  'like-ban': { of: ['account'], until: true },
  limit: { of: ['account'], until: true },
  cut: { of: ['account'], until: true, value: 'percent' },
  points: { of: ['account'], value: 'points' },
  compensate: { of: ['item'], value: 'likes' },
  dismiss: { of: ['item', 'account'] },
  restore: { of: ['item', 'account'] },
};

/* What is in force may be given back; what is not decided may be decided. */
function mayPropose(one: Case): string[] {
  const all = Object.entries(DECISIONS).filter(([, rule]) => rule.of.includes(one.subject));
  return all.map(([name]) => name).filter((name) => (one.state === 'open' ? name !== 'restore' : name === 'restore'));
}

function Propose({ one, onDone }: { one: Case; onDone: () => void }) {
  const names = mayPropose(one);
  const [chosen, choose] = useState('');
  const [value, setValue] = useState('');
  const [days, setDays] = useState('');
  const [only, setOnly] = useState('');
  const decision = names.includes(chosen) ? chosen : names[names.length - 1]!;
  const rule = DECISIONS[decision]!;
  const body: Record<string, unknown> = { decision };

  if (rule.value && value !== '') body.value = Number(value);
  if (rule.until && Number(days) > 0) body.until_ms = Date.now() + Number(days) * 86400000;
  if (rule.only && only !== '') body.only = only;
  const reject = one.state !== 'applied' && (
    <Step who="decide" label={t('desk.reject')} what={t('desk.reject.what')} method="PUT" path={`/v1/cases/${one.case}/rejection`} onDone={onDone} />
  );
  if (!may('propose'))
    return (
      <div class="stack">
        <p class="quiet">{t('desk.nobody')}</p>
        <div class="row">{reject}</div>
      </div>
    );
  return (
    <div class="stack">
      <div class="field">
        <label for="decision">{t('desk.decision')}</label>
        <select id="decision" value={decision} onChange={(event) => choose(event.currentTarget.value)}>
          {names.map((name) => (
            <option key={name} value={name}>
              {word('decision', name)}
            </option>
          ))}
        </select>
        <small class="quiet">{t(`desk.does.${decision}`)}</small>
      </div>
      {rule.value && <Field label={t(`desk.value.${rule.value}`)} value={value} onInput={setValue} inputMode="numeric" autoComplete="off" />}
      {rule.until && <Field label={t('desk.days')} hint={t('desk.days.hint')} value={days} onInput={setDays} inputMode="numeric" autoComplete="off" />}
      {rule.only && (
        <div class="field">
          <label for="only">{t('desk.only')}</label>
          <select id="only" value={only} onChange={(event) => setOnly(event.currentTarget.value)}>
            <option value="">{t('desk.only.all')}</option>
            {REASONS.map((name) => (
              <option key={name} value={name}>
                {word('why', name)}
              </option>
            ))}
          </select>
        </div>
      )}
      <div class="row">
        <Step
          who="propose"
          main
          label={t('desk.propose')}
          what={t('desk.propose.what', { decision: word('decision', decision) })}
          method="PUT"
          path={`/v1/cases/${one.case}/proposal`}
          body={body}
          onDone={onDone}
        />
        {reject}
      </div>
    </div>
  );
}

function Decide({ one, onDone }: { one: Case; onDone: () => void }) {
  if (one.proposed !== 'none')
    return (
      <div class="stack">
        <p>
          {t('desk.waiting', { decision: word('decision', one.proposed), who: caller(one.proposer) })}{' '}
          {one.proposed_value > 0 && number(one.proposed_value)}
        </p>
        <blockquote>{one.decided_text}</blockquote>
        <p class="quiet">{t('desk.foureyes')}</p>
        <div class="row">
          <Step who="decide" main label={t('desk.approve')} what={t('desk.approve.what')} method="PUT" path={`/v1/cases/${one.case}/approval`} onDone={onDone} />
          <Step who="decide" label={t('desk.reject')} what={t('desk.reject.what')} method="PUT" path={`/v1/cases/${one.case}/rejection`} onDone={onDone} />
        </div>
      </div>
    );
  if (!may('propose') && one.state !== 'open' && one.state !== 'appealed') return <p class="quiet">{t('desk.closed')}</p>;
  if (one.state === 'open' || one.state === 'appealed' || one.state === 'applied') return <Propose one={one} onDone={onDone} />;
  return <p class="quiet">{t('desk.closed')}</p>;
}

export function CaseView({ id }: { id: string }) {
  const { data: one, problem, again } = useLoad((signal) => get<Case>(`/v1/cases/${id}`, { signal }), [id]);

  if (problem) return <Refused problem={problem as Problem} again={again} />;
  if (!one) return <Loading />;
  return (
    <div class="stack">
      <h1>
        {t('desk.case.number', { id })} <State name={one.state} />
      </h1>
      <Card title={t(`desk.about.${one.subject}`, { id: one.about })}>
        <Stats>
          <Stat name={t('desk.kind')} value={word('kind', one.kind)} />
          <Stat name={t('desk.inforce')} value={word('decision', one.decision)} />
          <Stat name={t('desk.rule')} value={one.rule > 0 ? t('desk.rule.at', { rule: one.rule, policy: one.policy }) : t('desk.rule.none')} />
          <Stat name={t('desk.changed')} value={number(one.likes)} />
          <Stat name={t('desk.restored')} value={number(one.restored)} />
          <Stat name={t('desk.ends')} value={one.due_ms ?? one.until_ms ? moment((one.due_ms ?? one.until_ms)!) : '–'} />
        </Stats>
        {one.kind === 'reports' && <p>{t('desk.reports', { weight: number(one.report_weight_pct / 100, 1) })}</p>}
      </Card>
      <Card title={t('desk.decide')}>
        <Decide one={one} onDone={again} />
      </Card>
      {one.subject === 'item' && <Likes key={one.likes} item={one.about} />}
      <History one={one} />
    </div>
  );
}
