/* What the node answers about cases and rules (docs/http.md, schemas Case, WeighedLike, PolicyRules). */
export interface CaseEntry {
  case: string;
  kind: string;
  state: string;
  subject: 'account' | 'item';
  about: string;
  decision: string;
  opened_ms: number | null;
  due_ms: number | null;
  until_ms: number | null;
}

export interface Case extends CaseEntry {
  value: number;
  sanctions: string;
  decided_ms: number | null;
  rule: number;
  policy: number;
  decided_text: string;
  likes: number;
  restored: number;
  appealed: boolean;
  appeals: number;
  proposed: string;
  proposed_value: number;
  proposed_only: string;
  only: string;
  since_ms: number | null;
  to_ms: number | null;
  opened_text: string;
  appeal_text: string;
  opener: string;
  proposer: string;
  approver: string;
  report_weight_pct: number;
  opened_sequence: string;
  proposed_sequence: string;
  decided_sequence: string;
  appealed_sequence: string;
  ended_sequence: string;
  before: string;
}

export interface Page<T> {
  entries: T[];
  cursor: string | null;
}

export interface WeighedLike {
  account: string;
  time_ms: number | null;
  weight_pct: number;
  mark: string;
  reason: string;
}

export interface PolicyHead {
  version: string;
  name: string;
  state: string;
  by_setting: boolean;
  proposer: string;
  proposed_ms: number | null;
  decided_ms: number | null;
  reason: string;
  decision: string;
}

export interface Rule {
  rule: string;
  change: 'same' | 'new' | 'changed' | 'gone';
  shadow: boolean;
  fired: number;
  refused: number;
  held: number;
  cut: number;
}

export interface PolicyRules extends PolicyHead {
  in_shadow: boolean;
  counted_ms: number | null;
  judged: number;
  refused: number;
  held: number;
  cut: number;
  rules: Rule[];
}
