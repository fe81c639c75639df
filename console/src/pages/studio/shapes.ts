/* What the node tells a creator (docs/insight.md, docs/http.md): the members that are shown here. */
export interface Worth {
  raw: number;
  valid: number;
  credited: number;
  held: number;
  quarantined: number;
  voided: number;
  fading?: number;
  frozen?: number;
  peak?: number;
  reasons?: Record<string, number>;
}

export interface Counts {
  like: number;
  favorite: number;
  view: number;
  share: number;
  comment: number;
  skip: number;
  report: number;
  likes: Worth;
}

export interface Step {
  step: string;
  raw: number;
  valid: number;
  credited: number;
  rate: number;
  low: number;
  high: number;
  expected?: number | null;
  expected_low?: number | null;
  expected_high?: number | null;
  percentile?: number | null;
  expected_rate?: number | null;
  against?: string;
}

export interface Band {
  band: string;
  accounts: number;
  share: number;
}

export interface Hour {
  hour: number;
  shown: number;
  likes: number;
}

export interface Region {
  region: string;
  accounts: number;
  shown: number[];
  likes: number[];
}

export interface Comparable {
  by: string;
  tag: string | null;
  items: number;
}

export interface InsightItem {
  known: boolean;
  published_ms: number | null;
  age_s: number;
  tags: (string | null)[];
  basis: string;
  impressions: number;
  comparable: Comparable;
  steps: Step[];
  likes: { now: number; peak: number; peak_ms: number | null; given: number; taken_back: number; rate: number; others: number | null };
  quality: Band[];
  ages: Band[];
  hours: Hour[];
  regions: Region[];
  audience: { new: number; returning: number };
  retention: { until_ms: number | null; left: number }[];
  withheld: number;
  late_ms: number;
}

export interface Timeline {
  by: string;
  complete: boolean;
  points: { at_ms: number; raw: number; valid: number; credited: number }[];
}

export interface InsightCreator {
  known: boolean;
  items: number;
  follows_gained: number;
  follows_lost: number;
  basis: string;
  impressions: number;
  steps: Step[];
  quality: Band[];
  likers: { likers: number; followed: number; rate: number };
  topics: { tag: string | null; items: number; impressions: number; likes: number; rate: number; low: number; high: number; others: number | null; significant: boolean; z: number }[];
  days: { at_ms: number; shown: number; likes: number; unlikes: number; follows: number; new: number; returning: number }[];
  withheld: number;
  late_ms: number;
}

export interface InsightAudience {
  known: boolean;
  accounts_28d: number | null;
  error: number;
  met: { new: number; returning: number };
  ages: Band[];
  hours: Hour[];
  regions: Region[];
  interests: { tag: string; share: number }[];
  slots: { hour: number; share: number; low: number; high: number }[];
  slots_of: string;
  withheld: number;
  late_ms: number;
}

export interface Diagnosis {
  known: boolean;
  comparable: Comparable;
  expected: number | null;
  likes: number;
  lost: number;
  causes: {
    cause: string;
    group: string;
    verdict: string;
    lost: number;
    share: number;
    measure: string;
    number: number | null;
    compared: number | null;
    n: number;
    evidence: string | null;
  }[];
}

export interface Gate {
  audience: string;
  metric: string;
  impressions: number;
  rate: number;
  low: number;
  high: number;
  bar: number;
  sure: number;
  proven: boolean;
}

export interface Why {
  decides: boolean;
  learnt: boolean;
  known: boolean;
  state: string;
  stage: number;
  audience: string;
  budget: number;
  used: number;
  ends_ms: number | null;
  verdict: string;
  gates: Gate[];
}

export interface Heat {
  known: boolean;
  heat: number;
  leaving: number;
  boost: number;
  half_life_s: number;
}

export interface Shield {
  window_until_ms: number | null;
  cases: { case: string; kind: string; state: string; opened_ms: number; decision?: string }[];
}
