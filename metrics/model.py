"""The words of the product as types: what a city defines, what the store counts, what a publication says.

Everything here is data without behaviour beyond its own fields. Rooms hand these objects to each
other; none of them knows where it came from.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date, datetime
from enum import StrEnum
from typing import Any, Literal

UNKNOWN_DISTRICT = "unknown"
"""The district of a record that names none we know; districts plus unknown make the city."""

WHOLE_CITY = ""
"""The district of a value that is about the whole city."""

WITHHELD = "withheld"
"""The district of the one row that stands for all that are hidden for their small counts."""


class Grain(StrEnum):
    """How long a period is."""

    DAY = "day"
    WEEK = "week"
    MONTH = "month"
    QUARTER = "quarter"


class Direction(StrEnum):
    """Which way is good."""

    HIGHER_IS_BETTER = "higher_is_better"
    LOWER_IS_BETTER = "lower_is_better"
    WITHIN = "within"
    NEUTRAL = "neutral"


class Aggregation(StrEnum):
    """How a metric turns records into daily facts and facts into a value."""

    RATIO = "ratio"
    COUNT = "count"
    MEAN = "mean"
    MEDIAN = "median"
    PERCENTILE = "percentile"
    STOCK = "stock"


class Family(StrEnum):
    """A service is in the headline; a condition of the city stands beside it."""

    SERVICE = "service"
    CONDITION = "condition"


class Status(StrEnum):
    """The one word a score carries, in order of precedence (method 6)."""

    SUPPRESSED = "suppressed"
    CLOSED = "closed"
    LATE = "late"
    MISSING = "missing"
    NO_OPPORTUNITY = "no_opportunity"
    NOT_SCORED = "not_scored"
    INSUFFICIENT = "insufficient"
    IMMATURE = "immature"
    PROVISIONAL = "provisional"
    FINAL = "final"


class Verdict(StrEnum):
    """What the evidence says of value against target."""

    MEETS = "meets"
    CANNOT_TELL = "cannot_tell"
    MISSES = "misses"


class Part(StrEnum):
    """Where a contribution to a change comes from (method 8)."""

    PERFORMANCE = "performance"
    TARGET = "target"
    DEFINITION = "definition"
    WEIGHT = "weight"
    COVERAGE = "coverage"


@dataclass(frozen=True, slots=True)
class Period:
    """A grain and its half-open range of local dates: `start` belongs to it, `end` does not."""

    grain: Grain
    start: date
    end: date


# --- what a city defines -----------------------------------------------------------------------


@dataclass(frozen=True)
class Days:
    """The days from one to another, [from_day, to_day]."""

    from_day: date
    to_day: date

    def touches(self, start: date, end: date) -> bool:
        """Whether any of its days lies in [start, end)."""
        return self.from_day < end and self.to_day >= start


@dataclass(frozen=True)
class Closure(Days):
    """Days on which a working calendar is closed, beside the holidays."""

    reason: str
    calendar: Literal["business", "school", "all"] = "business"


@dataclass(frozen=True)
class City:
    """city.toml: who the city is and how its calendar runs.

    small_counts: counts from 1 to this many are hidden from the public in every district. need: what a
    district's `need` is, such as "residents in poverty"; empty where districts have no order of need.
    reporting_proxy: the share that says how readily people report, by district; empty for none.
    approve_first: a metric the public has never seen is withheld from it until it is approved.
    """

    id: str
    name: str
    time_zone: str
    tagline: str = ""
    week_start: Literal["monday", "sunday"] = "monday"
    quarter: Literal["trailing", "calendar"] = "trailing"
    fiscal_year_start: int = 1
    publication_hour: int = 5
    minimum_coverage: float = 0.75
    small_counts: int = 10
    holiday_country: str | None = None
    holiday_subdivision: str | None = None
    holidays: tuple[date, ...] = ()
    closures: tuple[Closure, ...] = ()
    district_word: str = "district"
    need: str = ""
    reporting_proxy: str = ""
    language: str = "en"
    contact: str = ""
    demonstration: bool = False
    approve_first: bool = False

    def __hash__(self) -> int:
        """By what tells cities apart: the calendar looks a city up for every period it makes."""
        return hash((self.id, self.time_zone))


@dataclass(frozen=True)
class Department:
    id: str
    name: str
    head: str = ""


@dataclass(frozen=True)
class District:
    """A part of the city. `aliases` are the spellings records use; population None is not known.

    need: how much its people need of the city, on the scale the city names; None is not known.
    """

    id: str
    name: str
    aliases: tuple[str, ...] = ()
    population: int | None = None
    need: float | None = None
    geometry: Mapping[str, Any] | None = None


ColumnType = Literal["text", "integer", "number", "instant", "day", "boolean", "district"]


@dataclass(frozen=True)
class Column:
    """One column of a source, as we keep it.

    planned: an instant that may lie ahead (a due date) and is read even when it does.
    known_with: an instant column; this one is empty as long as that one is (a closure reason).
    stamps: `local` says that the offset written in the file is wrong or absent and the clock time
    is the city's; `offset` believes the offset and takes a stamp without one as the city's time; `utc`
    believes it too and takes a stamp without one as UTC. local_until: stamps up to that day are `local`,
    whatever the later ones are.
    format: strptime words for instants and days that are not ISO 8601; of several the first that fits.
    not_before: a time that this one must not precede. not_within_seconds, not_beyond_minutes: how close to
    it this one, an instant, is not believed (filled in afterwards), and how far (a clock that ran on).
    empty: cells that mean nothing; a day among them does so of instants and days, however written.
    values: what cells become before they are typed. others: what becomes of a cell that is neither word
    nor value of these, or names no district: kept (a district then is unknown), refused with its row,
    emptied, or `locate`d by its coordinates.
    pad: how many digits numbers in a text have at least, filled up with zeros.
    min, max, earliest, latest, ahead_days: what is believed of numbers, and of days, which may lie so many
    days after the run. unfit: what becomes of a cell that is not of its type or not believed.
    latitude, longitude: the columns that say in which district a record is that names none.
    expression: the column is computed from the others of its row and never read.
    """

    name: str
    type: ColumnType
    aliases: tuple[str, ...] = ()
    required: bool = False
    planned: bool = False
    known_with: str | None = None
    stamps: Literal["offset", "local", "utc"] = "offset"
    format: str | tuple[str, ...] | None = None
    not_before: str | None = None
    not_within_seconds: int | None = None
    not_beyond_minutes: int | None = None
    local_until: date | None = None
    empty: tuple[str, ...] = ()
    values: Mapping[str, str] = field(default_factory=dict)
    others: Literal["keep", "refuse", "empty", "locate"] = "keep"
    pad: int | None = None
    min: float | None = None
    max: float | None = None
    earliest: date | None = None
    latest: date | None = None
    ahead_days: int | None = None
    unfit: Literal["refuse", "empty"] = "refuse"
    latitude: str | None = None
    longitude: str | None = None
    expression: str | None = None

    @property
    def formats(self) -> tuple[str, ...]:
        """The declared ways of writing, in the order in which they are tried."""
        return (self.format,) if isinstance(self.format, str) else self.format or ()


@dataclass(frozen=True)
class Gap(Days):
    """Days for which a source is known to be incomplete, and since when we say so."""

    reason: str
    declared: date
    score_known_days: bool = False


@dataclass(frozen=True)
class Source:
    """sources/<id>.toml: where records come from and what their columns mean.

    begins: the first day the source covers; None takes the day of its earliest arrival.
    arrival: the column whose newest value tells how far the source is known, plus quiet_minutes; a day
    tells its beginning.
    modified: the column that tells when the source last touched a row: the cursor of kinds that ask for
    what changed. closed: the column that is empty while a record is open; open ones are asked for again.
    due_after_minutes: how long after the end of a period its last day must be known; None is the
    city's publication hour.
    keep_days: for how many days its snapshots are kept, and none longer; None is as all of the city.
    requests_per_second: how often its host may be asked; None leaves it at one request after the other.
    options: the words of this kind of source only.
    """

    id: str
    name: str
    kind: str
    key: str
    columns: tuple[Column, ...]
    arrival: str | None = None
    modified: str | None = None
    closed: str | None = None
    quiet_minutes: int = 0
    begins: date | None = None
    due_after_minutes: int | None = None
    gaps: tuple[Gap, ...] = ()
    schedule: str = "0 4 * * *"
    requests_per_second: float | None = None
    keep_days: int | None = None
    publisher: str = ""
    licence: str = ""
    url: str = ""
    options: Mapping[str, Any] = field(default_factory=dict)

    def gaps_in(self, start: date, end: date) -> list[Gap]:
        """The declared gaps with any day in [start, end)."""
        return [one for one in self.gaps if one.touches(start, end)]

    def column(self, name: str) -> Column:
        """The column called `name`; KeyError names the source when there is none."""
        for column in self.columns:
            if column.name == name:
                return column
        raise KeyError(f"source {self.id} has no column {name}")


@dataclass(frozen=True)
class Target:
    """A target in force from `valid_from`. value and floor are a pair (low, high) for `within`."""

    value: float | tuple[float, float]
    valid_from: date
    reason: str
    approved_by: str
    floor: float | tuple[float, float] | None = None


@dataclass(frozen=True)
class Withdrawn:
    """The target that began on `valid_from` counts no more; the one before it goes on."""

    valid_from: date
    reason: str
    approved_by: str


Approved = Target | Withdrawn
"""What may be decided about a target."""


@dataclass(frozen=True)
class Weight:
    """A weight in force from `valid_from`."""

    value: float
    valid_from: date
    reason: str


@dataclass(frozen=True)
class Retired:
    """A metric that is no longer published, since when and why."""

    on: date
    reason: str


@dataclass(frozen=True)
class Metric:
    """metrics/<id>.toml: one quantity, how it is counted and what is expected of it.

    where, exclude, numerator (ratio) are tests; value (mean, median, percentile) is a number;
    quantity (count) is a number added up instead of 1 per record; denominator (ratio) makes the
    ratio one of two sums, numerator then being a number too. date says which day a record belongs
    to; until (stock) is the day it leaves. A column named in `date` or `until` is an instant or a day.
    historical: the target is the metric's own past (method 4) and `targets` is empty.
    per: what one count target stands for. best: the value of a perfect period where there is one.
    small_counts: counts from 1 to this many are hidden in its districts; None as the city has it, 0 none.
    hide_small_city: whether small counts of the whole city are hidden from the public as well.
    pairs: counter-metrics, which worsen where this one is improved in its number alone.
    split_by: columns by whose values staff may take its course apart.
    """

    id: str
    name: str
    department: str
    theme: str
    family: Family
    source: str
    aggregation: Aggregation
    date: str
    unit: str
    direction: Direction
    definition: str
    limitations: str
    owner: str
    public: bool = True
    weights: tuple[Weight, ...] = ()
    scored_at: tuple[Grain, ...] = ()
    where: str | None = None
    exclude: str | None = None
    numerator: str | None = None
    denominator: str | None = None
    value: str | None = None
    quantity: str | None = None
    percentile: float | None = None
    until: str | None = None
    district: str | None = None
    decimals: int = 1
    method: Literal["linear", "cityscore"] = "linear"
    cap: float = 1.25
    best: float | None = None
    calendar: Literal["all", "business", "school"] = "all"
    per: Literal["open_day", "day", "week", "month", "quarter", "year"] = "open_day"
    targets: tuple[Target, ...] = ()
    historical: bool = False
    clock_start: str | None = None
    clock_stop: str | None = None
    small_counts: int | None = None
    hide_small_city: bool = False
    question: str = ""
    pairs: tuple[str, ...] = ()
    split_by: tuple[str, ...] = ()
    renamed_from: str | None = None
    retired: Retired | None = None


@dataclass(frozen=True)
class Catalogue:
    """All definitions of a city. Mappings keep the order of their files' names.

    text is the canonical text the definitions were read from, hash its SHA-256: the store keeps
    both so that every published score can be recomputed.
    """

    city: City
    departments: Mapping[str, Department]
    districts: Mapping[str, District]
    sources: Mapping[str, Source]
    metrics: Mapping[str, Metric]
    text: str
    hash: str

    def live_metrics(self) -> tuple[Metric, ...]:
        """The metrics that are not retired."""
        return tuple(metric for metric in self.metrics.values() if metric.retired is None)


# --- what the store counts ---------------------------------------------------------------------


@dataclass(frozen=True)
class Knowledge:
    """How far a source is known: days before `first_day` and instants from `known_until` on are not.

    Both are None when no run of the source ever succeeded or it holds no record.
    """

    source: str
    first_day: date | None
    known_until: datetime | None


# --- what a publication says -------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Reason:
    """Why there is no value or no score: a message id and its arguments, both plain JSON."""

    id: str
    arguments: Mapping[str, str | int | float] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Score:
    """A metric in one period: every number a rendering may need, none of them computed later.

    district is WHOLE_CITY, a district id or UNKNOWN_DISTRICT. value is on the metric's own scale,
    numerator and denominator are its parts (None where it has none), n the number of records or
    days behind it. target, low and high ends of a band included, is on the value's scale.
    score is None with a reason, else 1.00 = on target. ceiling is the score of a perfect period.
    baseline: the days [start, end) a historical target was pooled from, fixed once it gave a score.
    completeness: the share of what will be known that is, the lower of numerator and denominator, 1 once it
    is mature; None where no day is known and where it cannot be measured: of a stock, from which a late
    closing takes what a late opening adds, of fewer than twenty events in twelve weeks, of a source younger
    than eight weeks. A district has the city's.
    scale: how many times a count's target lies in its open, known days; only known while planning.
    seat: what the metric enters the composite with while it is late; None otherwise.
    low, high: the 95% interval of the value, on its scale; each None where there is no such bound.
    verdict: what the evidence says of value against target; None where there is nothing to say.
    """

    metric: str
    district: str
    period: Period
    value: float | None
    numerator: float | None
    denominator: float | None
    n: int | None
    end_value: float | None
    target: float | None
    target_high: float | None
    floor: float | None
    floor_high: float | None
    score: float | None
    ceiling: float | None
    status: Status
    reason: Reason | None
    weight: float | None = None
    seat: float | None = None
    change: float | None = None
    known_days: int | None = None
    open_days: int | None = None
    completeness: float | None = None
    baseline: tuple[tuple[date, date], ...] = ()
    low: float | None = None
    high: float | None = None
    verdict: Verdict | None = None
    scale: float = field(default=1.0, compare=False, repr=False)


@dataclass(frozen=True, slots=True)
class Contribution:
    """A part of a composite's change that belongs to one metric."""

    metric: str
    part: Part
    contribution: float


@dataclass(frozen=True, slots=True)
class Composite:
    """The score of the city, a department or a theme in one period.

    scope is `city`, `department` or `theme`; scope_id is '' for the city. total counts the service
    metrics scored at the grain and open, scored those with a score, on_target those at 1 or more.
    lowest: up to three (metric, score), worst first.
    geometric: the weighted geometric mean of the same scores. leave_one_out: the least and the most the
    score is without any one metric. weight_band, sampling_band: where it lies under other weightings
    (5-95%) and by chance (95%). cityscore: Boston's arithmetic. Each is None where there is none.
    """

    scope: Literal["city", "department", "theme"]
    scope_id: str
    period: Period
    score: float | None
    reason: Reason | None
    coverage: float | None
    ceiling: float | None
    total: int
    scored: int
    on_target: int
    late: tuple[str, ...]
    lowest: tuple[tuple[str, float], ...]
    before: Period | None = None
    change: float | None = None
    change_matched: float | None = None
    contributions: tuple[Contribution, ...] = ()
    meets: int | None = None
    cannot_tell: int | None = None
    misses: int | None = None
    geometric: float | None = None
    leave_one_out: tuple[float, float] | None = None
    weight_band: tuple[float, float] | None = None
    sampling_band: tuple[float, float] | None = None
    cityscore: float | None = None


@dataclass(frozen=True, slots=True)
class Publication:
    """One atomic act of publishing. state is the number of the public state it began."""

    id: int
    as_of: date
    known_at: datetime
    published_at: datetime
    catalogue_hash: str
    is_current: bool
    reason: str | None = None
