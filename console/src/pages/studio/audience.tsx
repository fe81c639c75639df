/* Who watches, when, and what else they like. */
import { get } from '../../base/api';
import { creator } from '../../base/session';
import { number, percent, t } from '../../base/words';
import { useLoad } from '../../ui/load';
import { Card, Empty, Loading, Refused, Stat, Stats } from '../../ui/parts';
import { Bands, HourMap, Late, Withheld, clock, localHour } from './parts';
import type { InsightAudience } from './shapes';

export function Audience() {
  const { data, problem, busy, again } = useLoad((signal) => get<InsightAudience>(`/v1/accounts/${creator.value}/audience`, { signal }), [creator.value]);

  if (problem && !data) return <Refused problem={problem} again={again} />;
  if (!data) return busy ? <Loading /> : null;
  if (!data.known) return <Empty icon="eye">{t('studio.unknown')}</Empty>;
  return (
    <div class="stack">
      <h1>{t('studio.audience')}</h1>
      <Card>
        <Stats>
          <Stat
            name={t('studio.audience.month')}
            value={data.accounts_28d === null ? t('studio.few.short') : `≈ ${number(data.accounts_28d)}`}
            note={t('studio.audience.error', { error: percent(data.error) })}
          />
          <Stat name={t('studio.met.new')} value={number(data.met.new)} />
          <Stat name={t('studio.met.returning')} value={number(data.met.returning)} />
        </Stats>
      </Card>
      <Card title={t('studio.hours')}>
        <HourMap bare title={t('studio.hours')} hours={data.hours} regions={data.regions} />
        {data.slots.length > 0 && (
          <p>
            {t(`studio.slots.${data.slots_of}`)}{' '}
            <strong>{data.slots.map((slot) => `${clock(localHour(slot.hour))} (${percent(slot.share, 0)})`).join(', ')}</strong>
          </p>
        )}
        <p class="quiet">{t('studio.hours.zone', { zone: Intl.DateTimeFormat().resolvedOptions().timeZone })}</p>
      </Card>
      <div class="cards">
        <Card title={t('studio.ages')}>
          <Bands bare title={t('studio.ages')} prefix="studio.age" bands={data.ages} />
        </Card>
        <Card title={t('studio.interests')}>
          {data.interests.length === 0 ? (
            <p class="quiet">{t('studio.few')}</p>
          ) : (
            <ul class="bands">
              {data.interests.map((one) => (
                <li key={one.tag}>
                  <span>{one.tag}</span>
                  <span class="track" aria-hidden="true">
                    <i style={{ width: `${one.share * 100}%` }} />
                  </span>
                  <span class="figure">{percent(one.share, 0)}</span>
                </li>
              ))}
            </ul>
          )}
        </Card>
      </div>
      <Withheld count={data.withheld} />
      <Late ms={data.late_ms} />
    </div>
  );
}
