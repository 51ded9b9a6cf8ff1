"""Embeds tell the numbers of the page and the API in every form, and stand in frames of others safely."""

from __future__ import annotations

import base64
import csv
import hashlib
import io
import json
import re
from dataclasses import replace
from datetime import date, timedelta
from html import unescape
from urllib.parse import unquote
from xml.etree import ElementTree

import pytest

import app
from layouts import formats
from layouts.formats import evidence
from layouts.public import png
from layouts.public.embed import MOST_IN_A_HEADER
from metrics.model import Grain, Period, Score, Verdict
from tests.layouts.published_city import AS_OF, NOW, catalogue_of, city_files, fill, plan_of

MOST_BYTES = 15_000
FORMS = ("", ".svg", ".png")
SHOWN = [
    ("pothole_on_time", "week"),
    ("graffiti_on_time", "month"),
    ("response_minutes", "day"),
    ("flu_shots", "quarter"),
    ("trash_on_time", "week"),
    ("requests_opened", "month"),
    ("library_on_time", "week"),
]
SVG_NAMES = {"svg": "http://www.w3.org/2000/svg"}


@pytest.fixture(scope="module")
def reader(published_city):
    """Asks the whole server, as a reader's browser does."""
    return app.make_server(published_city.engine, published_city.catalogue, "harbor").test_client()


def ask(reader, path, status=200):
    answer = reader.get(path)
    assert answer.status_code == status, answer.data[:300]
    return answer


def words(markup):
    """What a page or a picture says, without its tags and styles."""
    bare = re.sub(r"<style>.*?</style>|<script>.*?</script>", " ", markup, flags=re.S)
    return unescape(re.sub(r"\s+", " ", re.sub(r"<[^>]+>", " ", bare))).strip()


def svg_texts(answer):
    return [
        text.text or "" for text in ElementTree.fromstring(answer.data).iterfind(".//svg:text", SVG_NAMES)
    ]


def printed(city, metric, grain="week"):
    """A metric's value as it is printed."""
    return formats.value_beside_target(city.catalogue.metrics[metric], city.score(metric, grain))


# --- the same number everywhere ------------------------------------------------------------------


@pytest.mark.parametrize(("metric", "grain"), SHOWN)
def test_page_embed_picture_csv_and_api_tell_one_value_of_one_publication(
    reader, published_city, metric, grain
):
    newest = json.loads(ask(reader, f"/api/v1/metrics/{metric}").data)
    point, number = newest["latest"][grain], newest["publication"]["id"]
    rows = list(
        csv.DictReader(io.StringIO(ask(reader, f"/api/v1/metrics/{metric}/series.csv?grain={grain}").text))
    )
    score = published_city.score(metric, grain)
    value = printed(published_city, metric, grain)
    assert point["value"] == pytest.approx(score.value, abs=0) and float(rows[-1]["value"]) == point["value"]
    assert rows[-1]["start"] == point["start"] == score.period.start.isoformat()

    page = words(ask(reader, f"/metric/{metric}?grain={grain}").text)
    frame = words(ask(reader, f"/embed/metric/{metric}?grain={grain}").text)
    picture = ask(reader, f"/embed/metric/{metric}.svg?grain={grain}&title=no")
    facts = png.texts(ask(reader, f"/embed/metric/{metric}.png?grain={grain}").data)
    drawn = words(" ".join(svg_texts(picture)))
    for said in (page, frame, drawn):
        assert words(value) in said
        assert f"publication {number}," in said
        assert words(formats.short_period(score.period)) in said
    assert (facts["Value"], facts["Publication"]) == (value, str(number))
    assert (float(facts["Value Unrounded"]), facts["Period Start"]) == (point["value"], point["start"])
    if score.score is not None:
        assert float(facts["Score Unrounded"]) == point["score"]
        assert f"Score {formats.score(point['score'])}" in frame and facts["Score"] in drawn
        assert facts["Score"] in page


@pytest.mark.parametrize("grain", list(Grain))
def test_the_citys_score_is_one_number_on_page_embed_picture_and_api(reader, grain):
    found = json.loads(ask(reader, "/api/v1/scores").data)
    city = found["city"][grain]
    number = formats.score(city["score"])
    frame = ask(reader, f"/embed/score?grain={grain}").text
    assert re.search(r'class="number">([^<]+)<', frame).group(1) == number
    assert number in svg_texts(ask(reader, f"/embed/score.svg?grain={grain}"))
    assert number in words(ask(reader, "/").text)
    facts = png.texts(ask(reader, f"/embed/score.png?grain={grain}").data)
    assert (facts["Score"], float(facts["Score Unrounded"])) == (number, city["score"])
    assert facts["Publication"] == str(found["publication"]["id"])
    k_of_n = f"{city['on_target']} of {city['scored']} on target"
    assert k_of_n in words(frame) and k_of_n in facts["Description"]


def test_a_scoreboard_holds_every_public_service_with_the_numbers_of_the_page(reader, published_city):
    frame = ask(reader, "/embed/scoreboard?grain=month").text
    rows = dict(re.findall(r'<tr role="row"><th[^>]*><a href="/metric/(\w+)"[^>]*>.*?</th>(.*?)</tr>', frame))
    drawn = svg_texts(ask(reader, "/embed/scoreboard.svg?grain=month"))
    services = {one.id: one for one in published_city.catalogue.metrics.values() if one.weights}
    assert rows.keys() == {id for id, one in services.items() if one.public}
    for id, row in rows.items():
        score = published_city.score(id, "month")
        assert f"<b>{formats.score(score.score)}</b>" in row
        value = formats.value_beside_target(services[id], score)
        assert value in unescape(row) and value in drawn


def test_the_worst_service_comes_first_on_a_scoreboard_of_any_grain(reader):
    for grain in Grain:
        frame = ask(reader, f"/embed/scoreboard?grain={grain}").text
        scores = [float(one) for one in re.findall(r"<b>(\d\.\d\d)</b>", frame)]
        assert scores == sorted(scores) and len(scores) > 1


# --- what stands with a number -------------------------------------------------------------------


@pytest.mark.parametrize("form", FORMS)
@pytest.mark.parametrize("name", ["score", "scoreboard", "metric/pothole_on_time"])
def test_every_form_names_source_licence_day_and_publication(reader, name, form):
    answer = ask(reader, f"/embed/{name}{form}")
    if form == ".png":
        facts = png.texts(answer.data)
        said = " ".join(facts.values())
        assert facts["As Of"] == AS_OF.isoformat() and facts["Publication"] == "1" and facts["Title"]
    else:
        said = words(answer.text)
    for text in (
        "City cases",
        "Licence: PDDL",
        "Data up to Nov 22, 2026",
        "publication 1, Nov 23, 2026, 5:12",
    ):
        assert text in said


def test_a_frame_links_back_on_the_whole_window_and_holds_its_table(reader):
    frame = ask(reader, "/embed/metric/pothole_on_time?grain=week").text
    assert '<a href="/metric/pothole_on_time?grain=week" target="_top">' in frame
    table = re.search(r"<details>.*</details>", frame, re.S).group(0)
    points = json.loads(ask(reader, "/api/v1/metrics/pothole_on_time/series.json?grain=week").data)["points"]
    heads = re.findall(r'<th scope="row"[^>]*>([^<]+)</th>', table)
    assert heads[0] == formats.short_period(period_of(points[-1], Grain.WEEK))
    assert len(heads) == min(104, len(points)) > 50
    links = re.findall(r"<a [^>]*>", frame)
    assert links and all('target="_top"' in link for link in links)


def period_of(point, grain):
    return Period(grain, date.fromisoformat(point["start"]), date.fromisoformat(point["end"]))


@pytest.mark.parametrize("form", FORMS)
def test_what_is_provisional_or_late_says_so_in_every_form(reader, form):
    def said(path):
        answer = ask(reader, path)
        return png.texts(answer.data)["Description"] if form == ".png" else words(answer.text)

    assert "Provisional: 1 score may still change" in said(f"/embed/metric/graffiti_on_time{form}?grain=week")
    assert "Provisional" not in said(f"/embed/metric/pothole_on_time{form}?grain=week")
    assert "Late" in said(f"/embed/metric/library_on_time{form}?grain=week")
    assert "Water utility has never been loaded" in said(f"/embed/metric/water_on_time{form}")
    city = said(f"/embed/score{form}?grain=week")
    assert re.search(r"\d are late and count with no more than their lowest", city)


@pytest.mark.parametrize("form", FORMS)
def test_a_verdict_is_said_in_words_in_every_form(reader, published_city, form):
    def said(path):
        answer = ask(reader, path)
        return png.texts(answer.data)["Description"] if form == ".png" else words(answer.text)

    metrics = published_city.catalogue.metrics
    verdicts = set()
    for metric in ("pothole_on_time", "park_on_time", "graffiti_on_time"):
        score = published_city.score(metric, "week")
        verdicts.add(score.verdict)
        sentence = evidence.verdict(metrics[metric], score)
        assert words(sentence).rstrip(".") in said(f"/embed/metric/{metric}{form}?grain=week")
    assert len(verdicts) > 1, "one word for all would tell nothing"
    late = evidence.late_seat(published_city.score("library_on_time", "week"))
    assert late and late.rstrip(".") in said(f"/embed/metric/library_on_time{form}?grain=week")
    board = said(f"/embed/scoreboard{form}?grain=week")
    assert formats.verdict_word(published_city.score("pothole_on_time", "week").verdict) in board
    assert "provisional" in board
    composite = json.loads(ask(reader, "/api/v1/scores").data)["city"]["week"]
    counted = f"Beyond chance: {composite['meets']} meet their target, {composite['misses']} miss it"
    assert counted in said(f"/embed/score{form}?grain=week")


def test_a_picture_carries_its_verdict_for_programs(reader, published_city):
    facts = png.texts(ask(reader, "/embed/metric/pothole_on_time.png?grain=week").data)
    score = published_city.score("pothole_on_time", "week")
    assert facts["Verdict"] == score.verdict
    assert facts["Interval"] == formats.interval(published_city.catalogue.metrics["pothole_on_time"], score)
    city = png.texts(ask(reader, "/embed/score.png?grain=week").data)
    assert city["Verdicts"].startswith("Beyond chance: ") and 0 < float(city["Coverage"]) <= 1


def test_the_table_of_a_frame_says_the_verdict_of_every_period(reader):
    frame = ask(reader, "/embed/metric/pothole_on_time?grain=week").text
    points = json.loads(ask(reader, "/api/v1/metrics/pothole_on_time/series.json?grain=week").data)["points"]
    cells = re.findall(r"<td>([^<]+)</td></tr>", frame)
    told = [one["verdict"] for one in reversed(points[-len(cells) :])]
    shown = [formats.verdict_word(Verdict(verdict)) if verdict else "" for verdict in told]
    assert [cell.partition(", ")[2] for cell in cells] == shown


def test_a_picture_says_in_words_what_it_shows(reader):
    answer = ask(reader, "/embed/metric/pothole_on_time.svg")
    root = ElementTree.fromstring(answer.data)
    title, alt = (root.find(f"svg:{name}", SVG_NAMES).text for name in ("title", "desc"))
    assert title.startswith("Potholes filled on time: ") and alt.startswith(title)
    assert unquote(answer.headers["X-Alt-Text"]) == alt
    assert png.texts(ask(reader, "/embed/metric/pothole_on_time.png").data)["Description"] == alt
    assert root.get("role") == "img" and root.get("aria-labelledby") == "t d"


def test_an_alternative_text_in_a_header_never_grows_too_long(reader):
    for name in ("score", "scoreboard", "metric/sidewalk_on_time"):
        header = ask(reader, f"/embed/{name}.png").headers["X-Alt-Text"]
        assert header.isascii() and 100 < len(header) <= MOST_IN_A_HEADER + 10


# --- how it looks --------------------------------------------------------------------------------


def test_without_its_title_an_embed_still_says_its_number(reader, published_city):
    frame = ask(reader, "/embed/metric/pothole_on_time?grain=week&title=no").text
    body = frame[frame.index("<main>") :]
    assert "<h1>" not in body and "<h1>" in ask(reader, "/embed/metric/pothole_on_time?grain=week").text
    said = beside_chip(published_city, "pothole_on_time")
    assert said in words(body)
    drawn = svg_texts(ask(reader, "/embed/metric/pothole_on_time.svg?grain=week&title=no"))
    assert words(drawn[1]).startswith(said)


def test_a_name_too_long_for_a_picture_does_not_hide_the_number(reader, published_city):
    texts = svg_texts(ask(reader, "/embed/metric/sidewalk_on_time.svg?grain=week"))
    assert any(text.endswith("…") for text in texts)
    assert any(text.startswith(beside_chip(published_city, "sidewalk_on_time")) for text in texts)


def beside_chip(city, metric):
    score = formats.score(city.score(metric, "week").score)
    return f"{printed(city, metric)} · Target 80% · Score {score} · Nov 16"


@pytest.mark.parametrize("form", ["", ".svg"])
def test_a_theme_is_light_dark_or_the_readers_own(reader, form):
    light, dark, auto = (
        re.search(r"<style>(.*?)</style>", ask(reader, f"/embed/score{form}?theme={theme}").text, re.S).group(
            1
        )
        for theme in ("light", "dark", "auto")
    )
    assert "#ffffff" in light and "#1b212a" not in light
    assert "#1b212a" in dark and "#ffffff" not in dark
    assert auto.index("#ffffff") < auto.index("(prefers-color-scheme:dark)") < auto.index("#1b212a")
    for style in (light, dark, auto) if form else ():
        assert "var(" not in style


def test_a_png_is_light_unless_dark_is_asked_for(reader):
    shown = {
        theme: ask(reader, f"/embed/score.png?theme={theme}").data for theme in ("light", "dark", "auto")
    }
    assert shown["light"] == shown["auto"] != shown["dark"]


def test_a_png_is_twice_as_fine_as_its_drawing(reader):
    root = ElementTree.fromstring(ask(reader, "/embed/metric/pothole_on_time.svg").data)
    picture = ask(reader, "/embed/metric/pothole_on_time.png").data
    size = [int.from_bytes(picture[start : start + 4], "big") for start in (16, 20)]
    assert size == [2 * int(root.get("width")), 2 * int(root.get("height"))]


# --- who may see what ----------------------------------------------------------------------------


@pytest.mark.parametrize("form", FORMS)
@pytest.mark.parametrize("metric", ["secret_on_time", "nothing_at_all"])
def test_a_metric_that_is_not_public_is_as_unknown_as_one_that_never_was(reader, metric, form):
    answer = ask(reader, f"/embed/metric/{metric}{form}", 404)
    assert b"Inner work" not in answer.data
    said = png.texts(answer.data)["Description"] if form == ".png" else words(answer.text)
    assert f"No public metric is called {metric}" in said


def test_no_embed_of_the_city_holds_a_word_of_what_is_not_public(reader):
    for name in ("score", "scoreboard"):
        for form in ("", ".svg"):
            assert "Inner work" not in ask(reader, f"/embed/{name}{form}").text


@pytest.mark.parametrize("form", FORMS)
@pytest.mark.parametrize(
    ("question", "fix"),
    [
        ("grain=year", "grain is 'year'; give one of day, week, month, quarter"),
        ("theme=blue", "theme is 'blue'; give one of light, dark, auto"),
        ("title=maybe", "title is 'maybe'; give one of yes, no"),
        ("colour=red", "There is no parameter colour. Known here: publication, as_of, grain, theme, title"),
        ("publication=x", "give the number of a publication"),
    ],
)
def test_a_word_that_means_nothing_is_refused_with_the_fix(reader, question, fix, form):
    for name in ("score", "metric/pothole_on_time"):
        answer = ask(reader, f"/embed/{name}{form}?{question}", 400)
        assert fix in (png.texts(answer.data)["Description"] if form == ".png" else words(answer.text))


def test_an_embed_that_does_not_exist_says_so_in_its_frame(reader):
    answer = ask(reader, "/embed/everything", 404)
    assert "There is no embed called everything" in words(answer.text)
    assert "frame-ancestors *" in answer.headers["Content-Security-Policy"]


@pytest.fixture
def reader_of(empty_database):
    """A reader of a city with these definitions, published as often as there are plans."""

    def make(files, *days):
        catalogue = catalogue_of(files)
        engine = empty_database(catalogue)
        planned, knowledge = plan_of(catalogue_of(city_files()))
        for number in range(len(days)):
            kept = tuple(change(score, days[number]) for score in planned.scores)
            fill(
                engine, catalogue, replace(planned, scores=kept), knowledge, now=NOW + timedelta(hours=number)
            )
        return app.make_server(engine, catalogue, "harbor").test_client()

    def change(score: Score, amount):
        if (score.metric, score.period.grain) != ("pothole_on_time", Grain.WEEK) or score.value is None:
            return score
        return replace(score, value=score.value + amount)

    return make


@pytest.mark.parametrize("form", FORMS)
def test_a_retired_metric_is_gone_with_the_reason(reader_of, form):
    files = city_files()
    name = "metrics/pothole_on_time.toml"
    retired = 'retired = { on = 2026-10-01, reason = "Counted by the state now" }\n'
    reader = reader_of({**files, name: retired + files[name]}, 0)
    answer = ask(reader, f"/embed/metric/pothole_on_time{form}", 410)
    said = png.texts(answer.data)["Description"] if form == ".png" else words(answer.text)
    assert "Potholes filled on time is no longer published" in said
    assert "Withdrawn on Oct 1, 2026: Counted by the state now." in said
    assert "frame-ancestors *" in answer.headers["Content-Security-Policy"]


def test_an_embed_pasted_under_an_old_name_shows_the_metric_it_became(reader_of):
    files = city_files()
    name = "metrics/pothole_on_time.toml"
    reader = reader_of({**files, name: 'renamed_from = "holes_on_time"\n' + files[name]}, 0)
    assert "Potholes filled on time" in words(ask(reader, "/embed/metric/holes_on_time").text)


def test_before_the_first_publication_an_embed_says_so_and_when_to_ask_again(reader_of):
    reader = reader_of(city_files())
    for form in FORMS:
        answer = ask(reader, f"/embed/score{form}", 503)
        assert int(answer.headers["Retry-After"]) > 0 and answer.headers["Cache-Control"] == "no-store"
    assert "Nothing has been published yet" in words(ask(reader, "/embed/score", 503).text)


def test_a_frozen_embed_keeps_its_number_and_says_that_there_is_a_newer_one(reader_of, published_city):
    reader = reader_of(city_files(), 0.0, 0.1)
    frozen = words(ask(reader, "/embed/metric/pothole_on_time?grain=week&publication=1").text)
    newest = words(ask(reader, "/embed/metric/pothole_on_time?grain=week").text)
    before = printed(published_city, "pothole_on_time")
    after = f"{float(before.rstrip('%')) + 10:.1f}%"
    assert f"on time: {before}, " in frozen and "A newer one, 2, has been made since" in frozen
    assert f"on time: {after}, " in newest and "newer" not in newest


def test_texts_of_a_city_are_words_and_never_tags(reader_of):
    files = {
        name: text.replace("Potholes filled", "<b>Holes</b> & 'more'") for name, text in city_files().items()
    }
    reader = reader_of(files, 0)
    for name in ("metric/pothole_on_time", "scoreboard"):
        for form in ("", ".svg"):
            text = ask(reader, f"/embed/{name}{form}").text
            assert "<b>Holes" not in text and "&lt;b&gt;Holes" in text
        assert "<b>Holes</b> & 'more'" in "".join(
            ElementTree.fromstring(ask(reader, f"/embed/{name}.svg").data).itertext()
        )


# --- how it travels ------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "path", ["score", "scoreboard", "metric/pothole_on_time", "metric/x", "score?theme=x"]
)
def test_only_embeds_may_be_framed_and_they_run_nothing_but_what_we_sent(reader, path):
    answer = reader.get(f"/embed/{path}")
    policy = answer.headers["Content-Security-Policy"]
    assert "default-src 'none'" in policy and "frame-ancestors *" in policy and "unsafe" not in policy
    for tag, directive in (("style", "style-src"), ("script", "script-src")):
        text = re.search(rf"<{tag}>(.*?)</{tag}>", answer.text, re.S).group(1)
        digest = base64.b64encode(hashlib.sha256(text.encode()).digest()).decode()
        assert f"{directive} 'sha256-{digest}'" in policy
    assert " style=" not in answer.text and " onclick" not in answer.text
    for other in ("/", "/metric/pothole_on_time", "/api/v1/scores", "/nowhere"):
        assert "frame-ancestors 'self'" in reader.get(other).headers["Content-Security-Policy"]


@pytest.mark.parametrize("form", FORMS)
def test_an_embed_sets_no_cookie_and_may_be_shown_by_any_site(reader, form):
    answer = ask(reader, f"/embed/score{form}")
    assert "Set-Cookie" not in answer.headers and "X-Frame-Options" not in answer.headers
    assert answer.headers["Cross-Origin-Resource-Policy"] == "cross-origin"
    assert answer.headers["Access-Control-Allow-Origin"] == "*"


@pytest.mark.parametrize("form", FORMS)
def test_an_unchanged_embed_is_not_sent_again_and_keeps_its_policy(reader, form):
    first = ask(reader, f"/embed/score{form}")
    again = reader.get(f"/embed/score{form}", headers={"If-None-Match": first.headers["ETag"]})
    assert again.status_code == 304 and again.data == b""
    assert "Content-Security-Policy" not in again.headers, "a browser would put it on the page it has kept"
    other = ask(reader, f"/embed/score{form}?theme=dark")
    assert other.headers["ETag"] != first.headers["ETag"]


@pytest.mark.parametrize("grain", list(Grain))
@pytest.mark.parametrize("metric", ["response_minutes", "park_on_time", "sidewalk_on_time"])
def test_a_metric_embed_is_one_small_answer(reader, metric, grain):
    answer = reader.get(f"/embed/metric/{metric}?grain={grain}", headers={"Accept-Encoding": "gzip"})
    assert answer.headers["Content-Encoding"] == "gzip"
    assert len(answer.data) <= MOST_BYTES
    text = ask(reader, f"/embed/metric/{metric}?grain={grain}").text
    assert re.findall(r"<(?:link|img|iframe|object)\b|\bsrc=|@import|url\(", text) == []


def test_a_picture_loads_nothing(reader):
    text = ask(reader, "/embed/metric/pothole_on_time.svg").text
    assert re.findall(r"href|url\(|@import|<script|<image|<foreignObject", text) == []


@pytest.mark.parametrize("path", ["/metric/{}", "/api/v1/metrics/{}", "/api/v1/metrics/{}/series"])
def test_pages_and_the_api_treat_a_retired_and_a_renamed_metric_as_embeds_do(reader_of, path):
    files = city_files()
    name = "metrics/pothole_on_time.toml"
    retired = 'retired = { on = 2026-10-01, reason = "Counted by the state now" }\n'
    gone = ask(reader_of({**files, name: retired + files[name]}, 0), path.format("pothole_on_time"), 410)
    assert "Counted by the state now" in gone.text
    renamed = reader_of({**files, name: 'renamed_from = "holes_on_time"\n' + files[name]}, 0)
    assert "pothole_on_time" in ask(renamed, path.format("holes_on_time")).text
