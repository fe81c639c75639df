/* A table a person sees, which can be taken away as CSV and JSONL, just as it is. On narrow screens it
 * scrolls within its frame. */
import type { ComponentChildren } from 'preact';
import { t } from '../base/words';
import { Icon } from './icons';

export interface Column<T> {
  name: string; // as people read it
  key: string; // as files call it
  of: (row: T) => string | number | null; // in files
  show?: (row: T) => ComponentChildren; // on the screen, if it is not that
  right?: boolean;
}

function save(name: string, type: string, text: string): void {
  const link = document.createElement('a');

  link.href = URL.createObjectURL(new Blob([text], { type }));
  link.download = name;
  link.click();
  setTimeout(() => URL.revokeObjectURL(link.href), 1000);
}

/* RFC 4180. A cell that a spreadsheet would take for a formula gets an apostrophe. */
function cell(value: string | number | null): string {
  let text = value === null ? '' : String(value);
  if (typeof value === 'string' && /^[=+\-@\t\r]/.test(text)) text = `'${text}`;
  return /[",\r\n]/.test(text) ? `"${text.replaceAll('"', '""')}"` : text;
}

export function csv<T>(columns: Column<T>[], rows: T[]): string {
  const lines = [columns.map((column) => cell(column.key)), ...rows.map((row) => columns.map((column) => cell(column.of(row))))];
  return lines.map((line) => `${line.join(',')}\r\n`).join('');
}

export function jsonl<T>(columns: Column<T>[], rows: T[]): string {
  return rows.map((row) => `${JSON.stringify(Object.fromEntries(columns.map((column) => [column.key, column.of(row)])))}\n`).join('');
}

export function Table<T>({
  caption,
  file,
  columns,
  rows,
}: {
  caption: string;
  file: string; // name of what is saved, without its ending
  columns: Column<T>[];
  rows: T[];
}) {
  return (
    <div class="table">
      <div class="frame" tabIndex={0} role="region" aria-label={caption}>
        <table>
          <caption class="away">{caption}</caption>
          <thead>
            <tr>
              {columns.map((column) => (
                <th key={column.key} scope="col" class={column.right ? 'right' : undefined}>
                  {column.name}
                </th>
              ))}
            </tr>
          </thead>
          <tbody>
            {rows.map((row, index) => (
              <tr key={index}>
                {columns.map((column) => (
                  <td key={column.key} class={column.right ? 'right' : undefined}>
                    {column.show ? column.show(row) : column.of(row)}
                  </td>
                ))}
              </tr>
            ))}
          </tbody>
        </table>
      </div>
      <p class="saves">
        <button type="button" class="small" onClick={() => save(`${file}.csv`, 'text/csv', csv(columns, rows))}>
          <Icon name="down_load" /> CSV<span class="away">: {caption}</span>
        </button>
        <button type="button" class="small" onClick={() => save(`${file}.jsonl`, 'application/x-ndjson', jsonl(columns, rows))}>
          <Icon name="down_load" /> JSONL<span class="away">: {caption}</span>
        </button>
        <span class="away">{t('table.saves')}</span>
      </p>
    </div>
  );
}
