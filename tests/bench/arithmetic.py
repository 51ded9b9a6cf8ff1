"""The scores of the measured city by the shortest way that pandas knows, from records in memory."""

from __future__ import annotations

import city
import pandas as pd

Scores = dict[tuple[str, str, str, str], tuple[float, float]]
"""(metric, district or '', grain, start) -> (value, score)."""

GRAINS = ("day", "week", "month", "quarter")
GRAINS_OF_DISTRICTS = ("month", "quarter")


def frame(rows: list[city.Row]) -> pd.DataFrame:
    """The records as a table, with instants read and empty texts missing."""
    table = pd.DataFrame(rows, columns=list(city.COLUMNS))
    for column in ("opened", "due", "closed"):
        table[column] = pd.to_datetime(table[column].str.rstrip("Z").replace("", None))
    return table


def scores(table: pd.DataFrame) -> Scores:
    """Every value and score of the seven metrics, as the method says (sections 4 and 5)."""
    found: Scores = {}
    for kind in city.KINDS:
        due = table[(table["kind"] == kind) & (table["due"] < pd.Timestamp(city.END))]
        met = (due["closed"] <= due["due"]).astype(float)
        _keep(found, f"{kind}_on_time", _facts(due, "due", met), "mean", city.SHARE_TARGET, better=1)
    closed = table[table["closed"].notna()]
    days = _facts(closed, "closed", (closed["closed"] - closed["opened"]).dt.total_seconds() / 86400)
    for how in ("mean", "median"):
        _keep(found, f"{how}_days", days, how, city.DAYS_TARGET, better=-1)
    opened = _facts(table, "opened", pd.Series(1.0, table.index))
    _keep(found, "opened", opened, "sum", city.COUNT_TARGET, better=-1)
    return found


def _facts(records: pd.DataFrame, date: str, amount: pd.Series) -> pd.DataFrame:
    return pd.DataFrame(
        {"district": records["district"], "day": records[date].dt.floor("D"), "amount": amount}
    )


def _keep(found: Scores, metric: str, facts: pd.DataFrame, how: str, target: float, better: int) -> None:
    for grain in GRAINS:
        placed = _in_periods(facts, grain)
        # A target of a count is the whole city's: a district has none.
        has_districts = grain in GRAINS_OF_DISTRICTS and how != "sum"
        for by in [[], ["district"]] if has_districts else [[]]:
            groups = placed.groupby(["start", "end", *by])["amount"]
            for (start, end, *district), value in getattr(groups, how)().items():
                goal = target * (end - start).days if how == "sum" else target
                score = min(max(1 + better * (value - goal) / goal, 0.0), 1.25)
                found[metric, "".join(district), grain, f"{start:%Y-%m-%d}"] = (value, score)


def _in_periods(facts: pd.DataFrame, grain: str) -> pd.DataFrame:
    """The facts with the start and end of each whole period of the grain that they belong to.

    A quarter begins with every month (trailing), so that each month belongs to three of them.
    """
    day = facts["day"]
    if grain in ("month", "quarter"):
        length = 1 if grain == "month" else 3
        month = day.dt.to_period("M").dt.to_timestamp()
        starts = [month - pd.DateOffset(months=back) for back in range(length)]
        ends = [start + pd.DateOffset(months=length) for start in starts]
    else:
        starts = [day - pd.to_timedelta(day.dt.weekday, unit="D") if grain == "week" else day]
        ends = [start + pd.Timedelta(days=7 if grain == "week" else 1) for start in starts]
    placed = pd.concat([facts.assign(start=start, end=end) for start, end in zip(starts, ends, strict=True)])
    return placed[(placed["start"] >= pd.Timestamp(city.FIRST)) & (placed["end"] <= pd.Timestamp(city.END))]
