"""The sentences that go with an embed wherever it stands: whose it is, its marks, what it shows."""

from __future__ import annotations

from collections.abc import Iterable

from layouts.formats import days, evidence, numbers, sentences, signals, vintages, words
from layouts.formats.language import _, ngettext
from layouts.formats.reasons import reason
from layouts.views import CityView, Edition, Line, MetricView
from metrics.model import Composite, Grain, Metric, Score, Source, Status

MOST_SAID = 8
"""How many services of a scoreboard are named to those who do not see it: the table holds them all."""


def origin(edition: Edition, sources: Iterable[Source | None]) -> str:
    """City, sources with their publishers, and licences: one line under a picture."""
    known = [source for source in sources if source is not None]
    names = _with_publishers(known)
    licences = _each(source.licence for source in known)
    said = [edition.city.name]
    if names:
        said.append(
            ngettext("Source: {sources}", "Sources: {sources}", len(names)).format(sources=", ".join(names))
        )
    if licences:
        said.append(
            ngettext("Licence: {licences}", "Licences: {licences}", len(licences)).format(
                licences=", ".join(licences)
            )
        )
    return " · ".join(said)


def sources_of(view: CityView) -> list[Source | None]:
    """The sources behind the services of a city, in the order of the catalogue."""
    used = {line.metric.source for line in view.services}
    return [source for id, source in view.edition.catalogue.sources.items() if id in used]


def notes(edition: Edition, *more: str) -> list[str]:
    """What must not be lost when a number is shown elsewhere: invented, not the newest, provisional, late."""
    invented = _("A demonstration: this city and its records are invented.")
    said = [invented if edition.city.demonstration else "", sentences.pinned(edition), *more]
    return [text for text in said if text]


def metric_notes(view: MetricView) -> list[str]:
    """The notes of a metric's embed."""
    score = view.score
    provisional = score is not None and score.status is Status.PROVISIONAL
    return notes(view.edition, vintages.restated_since(view), sentences.provisional(1) if provisional else "")


def city_notes(view: CityView) -> list[str]:
    """The notes of an embed of the city's score or scoreboard."""
    late = sentences.late_seats(view.composite) if view.composite else ""
    since = vintages.city_restated_since(view)
    return notes(view.edition, since, words.capital(late), sentences.provisional(view.provisional))


def why_nothing(score: Score | None, view: MetricView) -> str:
    """Why a metric has no score; empty where it has one."""
    if score is None:
        return _("No period of this length has ended yet.")
    return "" if score.score is not None else reason(score.reason, view.edition.catalogue)


def beyond_chance(view: MetricView) -> str:
    """Whether the target was met beyond chance, else with what a late metric counts; empty for neither."""
    if view.score is None:
        return ""
    return evidence.verdict(view.metric, view.score) or evidence.late_seat(view.score)


def marks(score: Score | None) -> str:
    """What stands beside the level of a score: its verdict, and that it may change; empty for neither."""
    if score is None:
        return ""
    said = [words.uncapital(words.verdict_word(score.verdict))] if score.verdict else []
    if score.status is Status.PROVISIONAL:
        said.append(words.uncapital(words.status_word(score.status)))
    return " · ".join(said)


def score_and_period(metric: Metric, score: Score, *, with_value: bool) -> str:
    """Value where the title does not say it, target, score and period: the line beside the chip."""
    said = [numbers.value_beside_target(metric, score)] if with_value and score.value is not None else []
    if with_value and score.target is not None:
        aim = numbers.target(metric, score.target, score.target_high)
        said.append(_("Target {target}").format(target=aim))
    if score.score is not None:
        said.append(_("Score {score}").format(score=numbers.score(score.score)))
    return " · ".join([*said, days.short_period(score.period)])


def composite_lines(composite: Composite) -> list[str]:
    """What stands beside a city's number: k of n, the change, the verdicts, the coverage."""
    moved = numbers.movement(composite)
    change = sentences.change(moved, composite.period.grain, composite.before)
    said = (
        sentences.on_target(composite),
        change,
        evidence.verdicts(composite),
        sentences.coverage(composite),
    )
    return [text for text in said if text]


def value_and_target(line: Line, grain: Grain) -> tuple[str, str]:
    """A metric's value and its target in a row; dashes where there is none."""
    score = line.scores.get(grain)
    if score is None:
        return numbers.NOTHING, numbers.NOTHING
    aim = numbers.target(line.metric, score.target, score.target_high)
    return numbers.value_beside_target(line.metric, score), aim


def retired_title(metric: Metric) -> str:
    """That a metric is no longer published."""
    return _("{metric} is no longer published").format(metric=metric.name)


def retired_reason(metric: Metric) -> str:
    """Since when and why a metric is no longer published; empty for one that is."""
    if metric.retired is None:
        return ""
    why = metric.retired.reason.rstrip(".")
    return _("Withdrawn on {day}: {reason}.").format(day=days.day(metric.retired.on), reason=why)


# --- for those who do not see it ----------------------------------------------------------------


def metric_alt(view: MetricView) -> str:
    """A metric's picture in words: the finding, its period, the line drawn, the publication."""
    said = [sentences.metric_headline(view)]
    if view.score is not None:
        said.append(_standing(view.score))
        said.append(beyond_chance(view))
        said.append(why_nothing(view.score, view).rstrip("."))
    said.append(signals.chart_words(view))
    said.append(sentences.chart_text(view, view.past).rstrip("."))
    return _paragraph([*said, *metric_notes(view), sentences.edition(view.edition)])


def city_alt(view: CityView) -> str:
    """A city's picture in words: the finding, the number, k of n, change, the publication."""
    said = [sentences.headline(view)]
    composite = view.composite
    if composite is not None and composite.score is not None:
        number = _("City score {score} ({level}), {period}").format(
            score=numbers.score(composite.score),
            level=words.uncapital(words.level_word(numbers.level(composite.score))),
            period=days.short_period(composite.period),
        )
        said += [number, *composite_lines(composite)]
    return _paragraph([*said, *city_notes(view), sentences.edition(view.edition)])


def board_alt(view: CityView) -> str:
    """A scoreboard in words: the city's finding, then the services most in need with their scores."""
    grain = view.opening or Grain.WEEK
    rows = [_row(line, grain) for line in view.services[:MOST_SAID]]
    rows.append(more_services(len(view.services) - MOST_SAID))
    return _paragraph([sentences.headline(view), *rows, *city_notes(view), sentences.edition(view.edition)])


def more_services(count: int) -> str:
    """How many services a list leaves out; empty for none."""
    if count <= 0:
        return ""
    return ngettext("And {count} more service", "And {count} more services", count).format(
        count=numbers.count(count)
    )


def _row(line: Line, grain: Grain) -> str:
    score = line.scores.get(grain)
    if score is None or score.score is None:
        word = words.standing_word(score, numbers.level(None))
        return _("{metric}: {status}").format(metric=line.metric.name, status=words.uncapital(word))
    found = _("{metric}: {value}, score {score}").format(
        metric=line.metric.name,
        value=numbers.value_beside_target(line.metric, score),
        score=numbers.score(score.score),
    )
    return ", ".join(text for text in (found, marks(score).replace(" · ", ", ")) if text)


def _standing(score: Score) -> str:
    word = words.standing_word(score, numbers.level(score.score))
    if score.score is None:
        return f"{word}, {days.short_period(score.period)}"
    return _("{level}, score {score}, {period}").format(
        level=word, score=numbers.score(score.score), period=days.short_period(score.period)
    )


def _paragraph(said: Iterable[str]) -> str:
    return " ".join(f"{text.rstrip('.')}." for text in said if text)


def _with_publishers(sources: list[Source]) -> list[str]:
    """The names of sources with who publishes them, said once where it is the same for all."""
    publishers = {source.publisher for source in sources}
    if len(publishers) == 1:
        names, publisher = _each(source.name for source in sources), publishers.pop()
        return [*names[:-1], _published(names[-1], publisher)]
    return _each(_published(source.name, source.publisher) for source in sources)


def _published(name: str, publisher: str) -> str:
    return f"{name} ({publisher})" if publisher else name


def _each(texts: Iterable[str]) -> list[str]:
    """Every text once, in its first place; none that is empty."""
    return list(dict.fromkeys(text for text in texts if text))
