"""What was put into the town's life on purpose, so that a dashboard can be seen to find it.

Everything else is chance around fixed levels, weekdays and seasons. Dates are the town's own; what
recurs does so every year or month, so that the demonstration is alive whenever it is looked at.

====================  ==========================  ====================================================
planted               when                        what happens
====================  ==========================  ====================================================
weekdays              every week                  more requests, calls and permits on Mondays, fewer
                                                  at weekends; schools thinner on Mondays and Fridays
seasons               every year                  potholes after winter, dark streets in December,
                                                  graffiti, crime and ferry trips in summer
ice storm             5 to 7 February,            trees x 6, streetlights x 3, signals x 3, potholes
                      every year                  x 2, ambulances x 1.3, fire engines x 1.6, calls to
                                                  311 x 2 with fewer answered soon; slower crews for
                                                  what is reported then and in the week after; empty
                                                  classrooms, trash left standing, cancelled and late
                                                  ferries, libraries closing early
windstorm             24 to 26 August,            the same at half the strength, schools apart
                      every year
staff shortage        1 September to 12 October,  permits applied for then take 1.45 times as long
                      every year
stopped source        from the 18th to the 26th   no library counts arrive; on the 27th all of them do
                      of every month
late closings         always                      35% of closed tree requests are entered into the
                                                  computer two to ten days after the work was done
improvements          from 2 March 2026           a graffiti crew of its own: on time 66% to 87%
                      from 6 March 2028           a second bucket truck: trees on time 71% to 84%
                      from 4 March 2030           a sign shop of its own: signs on time 82% to 91%
changed targets       1 July 2026                 potholes on time (metrics/pothole_on_time.toml)
                      1 July 2028                 trees on time (metrics/tree_on_time.toml)
unequal districts     always                      potholes in Tannery Flats and Quarry Heights: 54% on
                                                  time, 84% elsewhere
gamed metric          from 1 July 2025            missed trash that would be late is closed in the last
                                                  45 minutes before its deadline, done or not, and most
                                                  of that is reopened within four days: on time 75% to
                                                  95%, reopened 2% to 16%
====================  ==========================  ====================================================
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, timedelta

ICE_STORM = ((2, 5), (2, 7))
WINDSTORM = ((8, 24), (8, 26))
STORM_STRENGTH = {ICE_STORM: 1.0, WINDSTORM: 0.5}
AFTERMATH = timedelta(days=7)

SHORTAGE = ((9, 1), (10, 12))
SHORTAGE_SLOWDOWN = 1.45

SILENT_FROM_DAY, HEARD_AGAIN_DAY = 18, 27

TYPED_LATE = {"Tree Emergency": 0.35}
TYPED_LATE_DAYS = (2.0, 10.0)

SLOW_DISTRICTS = frozenset({"Tannery Flats", "Quarry Heights"})
SLOW_POTHOLES = 0.58

GAMED_TOPIC = "Missed Trash"
GAMED_FROM = date(2025, 7, 1)
GAMED_SHARE = 0.8
GAMED_MINUTES = 45
GAMED_REOPENED = 0.7
GAMED_REOPENED_DAYS = (0.5, 4.0)


@dataclass(frozen=True)
class Improvement:
    """A step for the better that stays: the share on time before and from a date on."""

    topic: str
    from_day: date
    on_time: float


IMPROVEMENTS = (
    Improvement("Graffiti", date(2026, 3, 2), 0.88),
    Improvement("Tree Emergency", date(2028, 3, 6), 0.86),
    Improvement("Damaged Sign", date(2030, 3, 4), 0.92),
)


def storm(day: date) -> float:
    """How strong a storm blows on this day: 0 is none, 1 the ice storm."""
    for (first, last), strength in STORM_STRENGTH.items():
        if first <= (day.month, day.day) <= last:
            return strength
    return 0.0


def backlog(day: date) -> float:
    """How much crews still have to do for a storm on this day or in the week before: 0 to 1."""
    days = (day - timedelta(days=back) for back in range(AFTERMATH.days + 1))
    return max(storm(one) for one in days)


def ice(day: date) -> float:
    """1 while the ice storm lasts, else 0."""
    return float(storm(day) == 1.0)


def is_short_of_staff(day: date) -> bool:
    """Whether the permit office is short of staff on this day."""
    first, last = SHORTAGE
    return first <= (day.month, day.day) <= last


def heard_on(day: date) -> date:
    """The day on which a count meant for this day arrives from a source that falls silent every month."""
    if SILENT_FROM_DAY <= day.day < HEARD_AGAIN_DAY:
        return day.replace(day=HEARD_AGAIN_DAY)
    return day


def on_time(topic: str, usual: float, day: date, district: str) -> float:
    """The share of this topic's requests, opened on this day in this district, that is done in time."""
    share = usual
    for improvement in IMPROVEMENTS:
        if improvement.topic == topic and day >= improvement.from_day:
            share = improvement.on_time
    if topic == "Pothole" and district in SLOW_DISTRICTS:
        share = SLOW_POTHOLES
    return share


def is_gamed(topic: str, day: date) -> bool:
    """Whether requests of this topic are closed for the deadline's sake on this day."""
    return topic == GAMED_TOPIC and day >= GAMED_FROM
