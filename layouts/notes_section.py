"""The parts of a metric's page where people say why the number is what it is, and what they do about it."""

from __future__ import annotations

from typing import Any

from dash import html
from dash.development.base_component import Component
from markupsafe import Markup

from layouts import forms
from layouts.access import Need, Role, is_allowed
from layouts.components import section
from layouts.formats import _, days
from layouts.formats import notes as sentences
from layouts.notes_view import NotesView, period_of_note
from store.actions import Action, State
from store.notes import Mark, Note
from store.problems import Problem
from store.releases import Step


def notes_section(view: NotesView) -> list[Component]:
    """Notes, actions, marked days and problems of a metric, each with its form for who may write."""
    owed = [html.P(sentences.note_owed(view.owed), className="note owed")] if view.owed else []
    cards = [*_release(view), _notes(view, owed), _actions(view), _marks(view), _problems(view)]
    return [html.Div(cards, className="halves section", id="written")]


def _release(view: NotesView) -> list[html.Section]:
    """What keeps the public from seeing a metric, and the forms of its owner and of approvers."""
    if view.release is None:
        return []
    rows = [html.Li(sentences.step_taken(one, view.edition.city), dir="auto") for one in view.release]
    inside: list[Any] = [html.P(sentences.release_state(view.release)), html.Ul(rows, className="plain")]
    is_seen = bool(view.release) and view.release[-1].step is Step.SEEN
    if not is_seen and is_allowed(Need(Role.OWNER, view.metric.department)):
        inside.append(forms.shown(_passing(view)))
    if is_seen and is_allowed(Need(Role.APPROVER)):
        inside.append(forms.shown(_deciding(view)))
    return [_card(_("Before the public sees it"), inside, "release")]


def _passing(view: NotesView) -> Markup:
    made = forms.form(
        "pass_release",
        forms.check_field("seen", _("I have looked at these numbers as the public will see them")),
        forms.optional(forms.text_field("words", _("What the approver should know"), rows=2)),
        button=_("Let it go to the approver"),
        hidden=_about(view),
    )
    return forms.folded(_("Let it pass"), made)


def _deciding(view: NotesView) -> Markup:
    made = forms.form(
        "decide_release",
        forms.radio_field("step", _("Is it published?"), sentences.release_steps(), chosen="approved"),
        forms.text_field("words", _("Why, if it is refused"), rows=2),
        button=_("Decide"),
        hidden=_about(view),
    )
    return forms.folded(_("Approve or refuse it"), made)


def _notes(view: NotesView, owed: list[html.P]) -> html.Section:
    rows = [_note(view, note) for note in view.notes]
    inside = [*owed, _listed(rows, _("Nobody has written a note yet."))]
    if view.may_write and view.period is not None:
        inside.append(forms.shown(_new_note(view, is_owed=bool(owed))))
    return _card(_("Notes"), inside, "notes")


def _note(view: NotesView, note: Note) -> html.Li:
    about = sentences.about(note, period_of_note(view.edition, note))
    by = sentences.written(note.writer_name, note.written_at, view.edition.city, is_public=note.is_public)
    return html.Li(
        [
            html.P(html.B(about)),
            html.P(note.words, className="words", dir="auto"),
            html.P(by, className="small muted", dir="auto"),
            *_taking_back(view, "withdraw_note", "note_id", note.id, _("Take this note back")),
        ]
    )


def _actions(view: NotesView) -> html.Section:
    rows = [_action(view, one) for one in view.actions]
    inside: list[Any] = [_listed(rows, _("Nothing is set up to move this metric."))]
    if view.may_write and view.owners:
        inside.append(forms.shown(_new_action(view)))
    return _card(_("What is done about it"), inside, "actions")


def _action(view: NotesView, action: Action) -> html.Li:
    turn = action.now
    state = sentences.action_state(action, view.today)
    late = " late" if action.is_overdue(view.today) else ""
    who = _("{owner}, due {day}").format(owner=turn.owner_name, day=sentences.due(action))
    said = [sentences.turn_said(action), sentences.moved(action)]
    by = sentences.written(turn.writer_name, turn.written_at, view.edition.city, is_public=action.is_public)
    change = [forms.shown(_turn(view, action))] if view.may_write and view.owners else []
    return html.Li(
        [
            html.P([html.B(action.words), " ", html.Span(state, className=f"state{late}")], dir="auto"),
            html.P(who, dir="auto"),
            *(html.P(text, className="words", dir="auto") for text in said if text),
            html.P(by, className="small muted", dir="auto"),
            *change,
        ]
    )


def _marks(view: NotesView) -> html.Section:
    rows = [_mark(view, number, one) for number, one in enumerate(view.marks)]
    inside: list[Any] = [_listed(rows, _("No day is marked on the charts."))]
    if view.may_write:
        inside.append(forms.shown(_new_mark(view)))
    return _card(_("Marked days"), inside, "marks")


def _mark(view: NotesView, number: int, mark: Mark) -> html.Li:
    by = sentences.written(mark.writer_name, mark.written_at, view.edition.city, is_public=mark.is_public)
    return html.Li(
        [
            html.P([html.B(sentences.letter(number), className="letter"), sentences.mark(mark)], dir="auto"),
            html.P(by, className="small muted", dir="auto"),
            *_taking_back(view, "withdraw_mark", "mark_id", mark.id, _("Take this mark off")),
        ]
    )


def _problems(view: NotesView) -> html.Section:
    rows = [_problem(view, one) for one in view.problems]
    inside: list[Any] = [_listed(rows, _("Nobody has reported a problem with this number."))]
    if not view.edition.is_pinned:
        inside.append(forms.shown(_report(view)))
    return _card(_("Reported problems"), inside, "problems")


def _problem(view: NotesView, problem: Problem) -> html.Li:
    city = view.edition.city
    answered = []
    if problem.answered_at is not None:
        by = sentences.written(problem.answered_by, problem.answered_at, city, is_public=problem.is_public)
        answered = [
            html.P(problem.answer, className="words", dir="auto"),
            html.P(by, className="small muted", dir="auto"),
        ]
    return html.Li(
        [
            html.P([html.B(sentences.problem_state(problem.state)), " ", sentences.reported(problem, city)]),
            html.P(problem.words, className="words", dir="auto"),
            *answered,
            *([forms.shown(_answer(view, problem))] if view.may_write else []),
        ]
    )


# --- forms ---------------------------------------------------------------------------------------


def _new_note(view: NotesView, *, is_owed: bool) -> Markup:
    period = (view.owed if is_owed else None) or view.period
    assert period is not None, "asked before"
    made = forms.form(
        "add_note",
        forms.radio_field("kind", _("What kind of note"), sentences.kinds(), chosen="explanation"),
        forms.text_field(
            "words",
            _("What happened in {period}").format(period=days.period(period)),
            hint=_("Plain text. Say what was the cause and what is done about it. Name no private person."),
        ),
        _seen_by(view),
        button=_("Add the note"),
        hidden={**_about(view), "grain": period.grain, "start": period.start.isoformat()},
    )
    return forms.folded(_("Write a note"), made)


def _new_action(view: NotesView) -> Markup:
    made = forms.form(
        "add_action",
        forms.line_field("words", _("What will be done")),
        _owner(view),
        forms.day_field("due", _("Due"), earliest=view.today),
        forms.text_field("promise", _("What is promised"), rows=2, most=500),
        _seen_by(view),
        button=_("Set it up"),
        hidden=_about(view),
    )
    return forms.folded(_("Set up an action"), made)


def _turn(view: NotesView, action: Action) -> Markup:
    made = forms.form(
        "turn_action",
        forms.radio_field("state", _("How it stands"), sentences.states(), chosen=str(State.OPEN)),
        forms.text_field("words", _("The promise, what came of it, or why it is dropped"), rows=2, most=500),
        forms.day_field("due", _("Due, if it goes on"), value=action.now.due),
        _owner(view, str(action.now.owner)),
        button=_("Bring it up to date"),
        id=f"turn_action-{action.id}",
        hidden={"action_id": action.id},
    )
    return forms.folded(_("Bring this action up to date"), made)


def _new_mark(view: NotesView) -> Markup:
    made = forms.form(
        "add_mark",
        forms.radio_field("kind", _("What happened"), sentences.mark_kinds(), chosen="event"),
        forms.day_field("day", _("On which day"), latest=view.today),
        forms.line_field("words", _("In a few words")),
        _seen_by(view),
        button=_("Mark the day"),
        hidden=_about(view),
    )
    return forms.folded(_("Mark a day"), made)


def _report(view: NotesView) -> Markup:
    made = forms.form(
        "report_problem",
        forms.text_field("words", _("What is wrong with it?"), most=1000),
        button=_("Report it"),
        hidden={**_about(view), "grain": view.period.grain if view.period else ""},
    )
    return forms.folded(_("Report a problem with this number"), made)


def _answer(view: NotesView, problem: Problem) -> Markup:
    made = forms.form(
        "answer_problem",
        forms.radio_field("state", _("How it stands"), sentences.problem_states(), chosen="answered"),
        forms.text_field(
            "words", _("The answer"), most=1000, hint=_("A public answer is shown without the question.")
        ),
        _seen_by(view),
        button=_("Save the answer"),
        id=f"answer_problem-{problem.id}",
        hidden={"problem_id": problem.id},
    )
    return forms.folded(_("Answer this"), made)


def _taking_back(view: NotesView, act: str, field: str, number: int, summary: str) -> list[Component]:
    if not view.may_write:
        return []
    made = forms.form(
        act,
        forms.line_field("why", _("Why?")),
        button=_("Take it back"),
        id=f"{act}-{number}",
        hidden={field: number},
    )
    return [forms.shown(forms.folded(summary, made))]


def _seen_by(view: NotesView) -> forms.Field:
    choices = sentences.seen_by(may_be_public=view.metric.public)
    return forms.radio_field("seen_by", _("Who sees it"), choices, chosen="internal")


def _about(view: NotesView) -> dict[str, str | int]:
    return {"metric_id": view.metric.id}


def _owner(view: NotesView, chosen: str = "") -> forms.Field:
    names = [(str(number), name) for number, name in view.owners]
    return forms.choice_field("owner", _("Who answers for it"), names, chosen=chosen, hint=_("One person."))


# --- pieces --------------------------------------------------------------------------------------


def _listed(rows: list[html.Li], nothing: str) -> Component:
    return html.Ul(rows, className="plain rows") if rows else html.P(nothing, className="muted")


def _card(name: str, inside: list[Any], id: str) -> html.Section:
    return section(name, html.Div(inside, className="card"), id=id)
