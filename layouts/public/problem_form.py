"""The form by which anybody reports a problem with a public number: no sign-in, no cookie, no address."""

from __future__ import annotations

from markupsafe import Markup

from layouts import forms
from layouts.formats import _
from layouts.notes_view import NotesView

MOST_WORDS = 1000


def problem_form(view: NotesView) -> Markup:
    """The form at the foot of a metric's public page."""
    made = forms.form(
        "report",
        forms.text_field(
            "words",
            _("What is wrong with it?"),
            most=MOST_WORDS,
            hint=_("Plain text, at most {most} characters. Leave out names and addresses of people.").format(
                most=MOST_WORDS
            ),
        ),
        button=_("Report it"),
        action=f"/metric/{view.metric.id}/problem",
        with_token=False,
    )
    return forms.folded(_("Report a problem with this number"), made)
