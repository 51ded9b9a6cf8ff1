"""The sentences around what people wrote about metrics; what they wrote is printed as it is."""

from __future__ import annotations

from datetime import date, datetime
from itertools import pairwise

from layouts.formats import days
from layouts.formats.language import _, ngettext
from metrics.model import City, Period
from metrics.periods import local_day
from store import actions, problems
from store.actions import Action
from store.notes import Mark, MarkKind, Note, NoteKind
from store.problems import Problem
from store.releases import Step, Taken

Choices = list[tuple[str, str]]
"""What may be chosen: pairs of what is sent and what is read."""

LETTERS = "ABCDEFGHIJKLMNOPQRSTUVWXYZ"


# --- notes ---------------------------------------------------------------------------------------


def kind_word(kind: NoteKind) -> str:
    """What kind of a note it is."""
    return {NoteKind.EXPLANATION: _("Explanation"), NoteKind.REPLY: _("Reply")}[kind]


def kinds() -> Choices:
    """The kinds of notes to choose from."""
    return [
        (str(NoteKind.EXPLANATION), _("Explanation: why the number is what it is")),
        (str(NoteKind.REPLY), _("Reply: what those say whom the number is about")),
    ]


def seen_by(*, may_be_public: bool) -> Choices:
    """Who may see something."""
    everybody = [("public", _("Everybody: it stands on the public page"))] if may_be_public else []
    return [("internal", _("Staff only")), *everybody]


def about(note: Note, period: Period | None) -> str:
    """Which kind of a note about which period; the day it begins where the period cannot be named."""
    when = days.short_period(period) if period else days.day(note.start)
    return _("{kind}, {period}").format(kind=kind_word(note.kind), period=when)


def written(name: str, at: datetime, city: City, *, is_public: bool) -> str:
    """Who wrote something, when, and who may see it: for staff."""
    said = {"name": name, "day": _day(at, city)}
    if is_public:
        return _("{name}, {day}, public").format(**said)
    return _("{name}, {day}, for staff only").format(**said)


def written_publicly(department: str, at: datetime, city: City) -> str:
    """Which department wrote something, and when: for everybody."""
    return _("{department}, {day}").format(department=department, day=_day(at, city))


def note_owed(period: Period) -> str:
    """That somebody has to say why a week was as it was."""
    return _(
        "A note is owed for {period}: the chart shows a change for the worse that is not chance, "
        "and the target was missed."
    ).format(period=days.period(period))


def short_note(note: Note, city: City) -> str:
    """A note in a line or two, beside a number that needs attention."""
    words = {"name": note.writer_name, "day": _day(note.written_at, city), "words": _short(note.words)}
    return _("{name}, {day}: {words}").format(**words)


def short_promise(action: Action) -> str:
    """The last promise in a line or two."""
    turn = action.promise
    words = {"owner": turn.owner_name, "day": days.day(turn.due), "words": _short(turn.words)}
    return _("{owner} promised by {day}: {words}").format(**words)


# --- marks ---------------------------------------------------------------------------------------


def mark_kinds() -> Choices:
    """The kinds of marks to choose from."""
    return [
        (str(MarkKind.EVENT), _("Event: something happened")),
        (str(MarkKind.DEFINITION), _("Definition: from then on something else is counted")),
    ]


def letter(number: int) -> str:
    """The letter a mark has on its chart, like A, B, and AA after Z."""
    return (LETTERS[number // 26 - 1] if number >= 26 else "") + LETTERS[number % 26]


def mark(given: Mark) -> str:
    """A marked day in words."""
    said = {"day": days.day(given.day), "words": given.words}
    if given.kind is MarkKind.DEFINITION:
        return _("{day}, definition changed: {words}").format(**said)
    return _("{day}: {words}").format(**said)


# --- actions -------------------------------------------------------------------------------------


def action_state(action: Action, today: date) -> str:
    """Where an action stands, in a word or two."""
    if action.is_overdue(today):
        late = (today - action.now.due).days
        return ngettext("Overdue by {count} day", "Overdue by {count} days", late).format(count=late)
    return {
        actions.State.OPEN: _("Open"),
        actions.State.DONE: _("Done"),
        actions.State.DROPPED: _("Dropped"),
    }[action.now.state]


def due(action: Action) -> str:
    """When an action is due, of one that ended when it was."""
    return days.day(action.now.due)


def due_publicly(action: Action, department: str) -> str:
    """Which department does something, and by when: for everybody."""
    said = _("{department}, due {day}.")
    return said.format(department=department, day=days.day(action.now.due))


def moved(action: Action) -> str:
    """How often the due day was put off; empty for never."""
    before = [turn.due for turn in action.turns if turn.state is actions.State.OPEN]
    count = sum(1 for one, other in pairwise(before) if other > one)
    if not count:
        return ""
    first = days.day(before[0])
    put_off = ngettext("Put off once; first due {day}.", "Put off {count} times; first due {day}.", count)
    return put_off.format(count=count, day=first)


def turn_said(action: Action) -> str:
    """What was promised last, or what came of it."""
    turn = action.now
    said = {"words": turn.words}
    return {
        actions.State.OPEN: _("Last promise: {words}"),
        actions.State.DONE: _("What came of it: {words}"),
        actions.State.DROPPED: _("Why it was dropped: {words}"),
    }[turn.state].format(**said)


def states() -> Choices:
    """What can become of an action."""
    return [
        (str(actions.State.OPEN), _("It goes on")),
        (str(actions.State.DONE), _("It is done")),
        (str(actions.State.DROPPED), _("It is dropped")),
    ]


def due_headline(open_actions: tuple[Action, ...], today: date) -> str:
    """How many commitments are due, of which how many are overdue; empty for none."""
    if not open_actions:
        return ""
    late = sum(1 for one in open_actions if one.is_overdue(today))
    all_of_them = ngettext("{count} open action", "{count} open actions", len(open_actions))
    said = all_of_them.format(count=len(open_actions))
    if not late:
        return said
    return _("{actions}, {late} overdue").format(actions=said, late=late)


# --- problems ------------------------------------------------------------------------------------


def problem_state(state: problems.State) -> str:
    """Where a reported problem stands."""
    return {
        problems.State.NEW: _("New"),
        problems.State.ANSWERED: _("Answered"),
        problems.State.CLOSED: _("Closed"),
    }[state]


def problem_states() -> Choices:
    """What can become of a problem."""
    return [
        (str(problems.State.ANSWERED), _("It is answered")),
        (str(problems.State.CLOSED), _("It is closed without an answer, for this reason")),
        (str(problems.State.NEW), _("It is open again")),
    ]


def reported(problem: Problem, city: City) -> str:
    """Which problem it is, who reported it and when."""
    who = problem.writer_name or _("somebody of the public")
    day = _day(problem.written_at, city)
    return _("No. {number}, {day}, by {who}").format(number=problem.id, day=day, who=who)


def reported_publicly(problem: Problem, city: City) -> str:
    """Which problem it is, when it was reported and where it stands: for everybody."""
    said = {
        "number": problem.id,
        "day": _day(problem.written_at, city),
        "state": problem_state(problem.state),
    }
    return _("No. {number}, reported {day}: {state}").format(**said)


def thanks(number: int, metric: str) -> str:
    """That a report has come in, and what happens next."""
    return _(
        "Your report about {metric} has the number {number}. Whoever answers for it reads it; "
        "the answer will stand on the page under that number."
    ).format(metric=metric, number=number)


def problems_counted(count: int, new: int) -> str:
    """How many problems were reported, of which how many wait."""
    said = ngettext("{count} problem was reported.", "{count} problems were reported.", count)
    waiting = ngettext("{count} waits for an answer.", "{count} wait for an answer.", new)
    return " ".join([said.format(count=count), *([waiting.format(count=new)] if new else [])])


# --- first publications --------------------------------------------------------------------------


def release_state(taken: tuple[Taken, ...]) -> str:
    """Where a metric stands before the public sees it first."""
    if not taken:
        return _("The public does not see this yet: its owner has to look at it first.")
    last = taken[-1]
    if last.step is Step.REFUSED:
        said = _("The public does not see this yet. It was refused by {name}: {words}")
        return said.format(name=last.writer_name, words=last.words)
    return _("The public does not see this yet: its owner has seen it, and it waits for an approver.")


def release_steps() -> Choices:
    """What an approver can decide."""
    return [
        (str(Step.APPROVED), _("Approve: the public sees it from now on")),
        (str(Step.REFUSED), _("Refuse: its owner is shown why")),
    ]


def step_taken(taken: Taken, city: City) -> str:
    """A step before the first publication."""
    words = f": {taken.words}" if taken.words else ""
    said = {"name": taken.writer_name, "day": _day(taken.written_at, city), "words": words}
    return {
        Step.SEEN: _("{day}, {name} has seen it{words}"),
        Step.APPROVED: _("{day}, {name} has approved it{words}"),
        Step.REFUSED: _("{day}, {name} has refused it{words}"),
    }[taken.step].format(**said)


def _short(words: str) -> str:
    line = " ".join(words.split())
    return line if len(line) <= 160 else line[:159].rstrip() + "…"


def _day(at: datetime, city: City) -> str:
    return days.day(local_day(city, at))
