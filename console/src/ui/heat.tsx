/* Numbers by row and hour, as darker and lighter cells; a table, so that it can be read out. */
import { number, t } from '../base/words';

export interface HeatRow {
  name: string;
  values: number[]; // one each column
}

export function Heat({ caption, columns, rows }: { caption: string; columns: string[]; rows: HeatRow[] }) {
  const most = Math.max(1, ...rows.flatMap((row) => row.values));

  return (
    <div class="frame heat" tabIndex={0} role="region" aria-label={caption}>
      <table>
        <caption class="away">{caption}</caption>
        <thead>
          <tr>
            <td />
            {columns.map((column, i) => (
              <th key={column} scope="col">
                <span class={i % 3 === 0 ? '' : 'away'}>{column}</span>
              </th>
            ))}
          </tr>
        </thead>
        <tbody>
          {rows.map((row) => (
            <tr key={row.name}>
              <th scope="row">{row.name}</th>
              {row.values.map((value, i) => (
                <td key={i} title={t('heat.cell', { row: row.name, column: columns[i]!, value: number(value) })}>
                  <i style={{ opacity: String(value === 0 ? 0 : 0.15 + 0.85 * Math.sqrt(value / most)) }} />
                  <span class="away">{number(value)}</span>
                </td>
              ))}
            </tr>
          ))}
        </tbody>
      </table>
    </div>
  );
}
