"""Embeds in a page of another site with a strict policy: right height, no complaint, no stranger."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

import pytest
from flask import Flask, Response
from playwright.sync_api import Frame, Page, expect

from layouts import formats

WIDTHS = (700, 320)
STATIC_HEIGHT = 480
AGREE = 15_000
FIT = """frame => document.getElementById(frame).getBoundingClientRect().height"""
CONTENT = "Math.ceil(document.documentElement.getBoundingClientRect().height)"
EMBEDS = {
    "score": "/embed/score",
    "board": "/embed/scoreboard?grain=month",
    "metric": "/embed/metric/pothole_on_time?grain=week",
    "plain": "/embed/metric/response_minutes?grain=day&title=no&theme=dark",
}
HOST = """<!doctype html><html lang="en"><head><meta charset="utf-8"><title>The Harbor Times</title>
<link rel="icon" href="data:,"></head><body><main><h1>The Harbor Times</h1>
{frames}
<p><img id="svg" src="{city}/embed/score.svg" alt="The city's score"></p>
<p><img id="png" src="{city}/embed/metric/pothole_on_time.png" width="300" alt="Potholes"></p>
</main><script src="{city}/assets/embed.js" async></script></body></html>"""
FRAME = (
    '<iframe id="{id}" src="{city}{path}" title="{id}" width="100%" height="{height}" frameborder="0">'
    "</iframe>"
)
POLICY = "default-src 'none'; frame-src {city}; script-src {city}; img-src {city} data:"


@dataclass
class Host:
    """An opened page of the other site: the complaints in its console and every address it asked for."""

    page: Page
    city: str
    complaints: list[str] = field(default_factory=list)
    asked: list[str] = field(default_factory=list)

    def frame(self, id: str) -> Frame:
        found = self.page.query_selector(f"#{id}").content_frame()
        found.wait_for_selector("main")
        return found

    def height(self, id: str) -> float:
        return self.page.evaluate(FIT, id)

    def fits(self, id: str) -> bool:
        return self.height(id) == self.frame(id).evaluate(CONTENT)

    def wait_until_all_fit(self) -> None:
        for _try in range(AGREE // 50):
            if all(self.fits(id) for id in EMBEDS):
                return
            self.page.wait_for_timeout(50)
        pytest.fail(str({id: (self.height(id), self.frame(id).evaluate(CONTENT)) for id in EMBEDS}))


@pytest.fixture
def newspaper(browser, address, serve) -> Any:
    """Opens a page of another origin with every embed in it: newspaper(width=, scheme=, scripts=)."""
    contexts = []
    base = serve(_host(address))

    def open_page(width: int = 700, scheme: str = "light", scripts: bool = True) -> Host:
        context = browser.new_context(
            viewport={"width": width, "height": 900}, color_scheme=scheme, java_script_enabled=scripts
        )
        contexts.append(context)
        page = context.new_page()
        host = Host(page, address)
        page.on("console", lambda said: _listen(host, said))
        page.on("pageerror", lambda error: host.complaints.append(str(error)))
        page.on("request", lambda asked: host.asked.append(asked.url))
        page.goto(base, wait_until="load")
        return host

    yield open_page
    for context in contexts:
        context.close()


def _host(city: str) -> Flask:
    """Another site: a page that allows nothing but our frames, pictures and script."""
    site = Flask("newspaper")
    frames = "".join(
        FRAME.format(id=id, city=city, path=path.replace("&", "&amp;"), height=STATIC_HEIGHT)
        for id, path in EMBEDS.items()
    )

    @site.get("/")
    def front() -> Response:
        page = Response(HOST.format(city=city, frames=frames), content_type="text/html")
        page.headers["Content-Security-Policy"] = POLICY.format(city=city)
        return page

    return site


def _listen(host: Host, said: Any) -> None:
    if said.type in ("error", "warning"):
        host.complaints.append(f"{said.type}: {said.text}")


def _strangers(host: Host) -> list[str]:
    own = host.page.url
    return [url for url in host.asked if not url.startswith((own, f"{host.city}/", "data:"))]


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("width", WIDTHS)
def test_every_embed_takes_the_height_of_its_content(newspaper, width, scheme):
    host = newspaper(width, scheme)
    host.wait_until_all_fit()
    assert all(host.height(id) != STATIC_HEIGHT for id in EMBEDS)
    for id in EMBEDS:
        frame = host.frame(id)
        assert frame.evaluate("document.documentElement.scrollWidth <= innerWidth")
        assert frame.evaluate("document.documentElement.scrollHeight <= innerHeight")
    assert host.complaints == [] and _strangers(host) == []


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("width", WIDTHS)
def test_without_javascript_every_embed_shows_its_number_and_its_table(
    newspaper, published_city, width, scheme
):
    pothole = published_city.catalogue.metrics["pothole_on_time"]
    value = formats.value_beside_target(pothole, published_city.score(pothole.id, "week"))
    host = newspaper(width, scheme, scripts=False)
    assert [host.height(id) for id in EMBEDS] == [STATIC_HEIGHT] * len(EMBEDS)
    metric = host.frame("metric")
    expect(metric.locator("h1")).to_contain_text(value)
    expect(metric.locator("svg.chart:visible")).to_have_count(1)
    metric.locator("summary").click()
    expect(metric.locator("tbody tr").first).to_contain_text(value)
    expect(host.frame("score").locator(".number")).to_be_visible()
    assert host.frame("board").locator(".chip:visible").count() > 5
    for id in EMBEDS:
        assert host.frame(id).evaluate("document.documentElement.scrollWidth <= innerWidth")
    assert host.complaints == [] and _strangers(host) == []


def test_a_frame_grows_with_its_content_and_shrinks_again(newspaper):
    host = newspaper()
    host.wait_until_all_fit()
    closed = host.height("metric")
    host.frame("metric").locator("summary").click()
    host.wait_until_all_fit()
    assert host.height("metric") > closed + 200
    host.frame("metric").locator("summary").click()
    host.wait_until_all_fit()
    assert host.height("metric") == closed


def test_a_frame_follows_the_width_of_the_page_both_ways(newspaper):
    host = newspaper(700)
    host.wait_until_all_fit()
    wide = host.height("score")
    host.page.set_viewport_size({"width": 320, "height": 900})
    host.wait_until_all_fit()
    assert host.height("score") > wide
    host.page.set_viewport_size({"width": 700, "height": 900})
    host.wait_until_all_fit()
    assert host.height("score") == wide


def test_nobody_else_can_say_a_height(newspaper):
    host = newspaper()
    host.wait_until_all_fit()
    before = host.height("metric")
    said = "{type: 'city-embed-height', height: 33}"
    host.page.evaluate(f"window.postMessage({said}, '*')")
    host.frame("score").evaluate(f"parent.frames[2].postMessage({said}, '*')")
    for wrong in ("-5", "NaN", "'9px'", "1e9"):
        host.frame("metric").evaluate(
            f"parent.postMessage({{type: 'city-embed-height', height: {wrong}}}, '*')"
        )
    host.frame("score").evaluate(f"parent.postMessage({said}, '*')")
    for _try in range(AGREE // 50):
        if host.height("score") == 33:
            break
        host.page.wait_for_timeout(50)
    assert host.height("score") == 33, (
        "a frame speaks for itself, and the messages before this one have arrived"
    )
    assert host.height("metric") == before
    assert host.complaints == []


def test_pictures_load_in_a_page_that_allows_no_style_of_ours(newspaper):
    host = newspaper()
    size = "id => [document.getElementById(id).naturalWidth, document.getElementById(id).complete]"
    assert host.page.evaluate(size, "svg") == [640, True]
    assert host.page.evaluate(size, "png") == [1280, True]


def test_the_link_back_leaves_the_frame(newspaper):
    host = newspaper()
    host.wait_until_all_fit()
    host.frame("metric").get_by_role("link", name="Potholes filled on time at Harbor City").click()
    host.page.wait_for_url(f"{host.city}/metric/pothole_on_time?grain=week")


def test_a_frame_that_is_asked_for_again_keeps_its_style(newspaper):
    host = newspaper()
    colour = "getComputedStyle(document.querySelector('figcaption')).color"
    first = host.frame("metric").evaluate(colour)
    for _time in range(2):
        host.page.reload(wait_until="load")
        host.wait_until_all_fit()
    assert host.frame("metric").evaluate(colour) == first != "rgb(0, 0, 0)"
    assert host.complaints == []


@pytest.mark.parametrize(("scheme", "light"), [("light", True), ("dark", False)])
def test_an_embed_is_as_light_as_its_reader_or_as_it_was_asked_to_be(newspaper, scheme, light):
    host = newspaper(scheme=scheme)
    host.wait_until_all_fit()
    assert (_brightness(host.frame("metric")) > 200) == light
    assert _brightness(host.frame("plain")) < 60


def _brightness(frame: Frame) -> int:
    colour = frame.evaluate("getComputedStyle(document.documentElement).backgroundColor")
    return math.floor(sum(int(part) for part in colour.strip("rgb()").split(",")) / 3)


@pytest.mark.parametrize("path", EMBEDS.values())
def test_a_frame_asks_for_nothing_but_itself(visit, address, path):
    opened = visit(path.replace("&title=no", ""), width=700)
    loaded = opened.page.evaluate("performance.getEntriesByType('resource').map(one => one.name)")
    assert [url for url in loaded if "favicon" not in url] == []
    assert opened.watch.complaints == [] and opened.watch.strangers == []


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("path", [*EMBEDS.values(), "/embed/metric/water_on_time"])
def test_embeds_have_no_serious_barrier(visit, axe: str, path: str, scheme: str):
    found = _barriers(visit, axe, path.replace("&title=no", ""), scheme)
    assert [(one["id"], [node["html"][:120] for node in one["nodes"]]) for one in found] == []


def _barriers(visit: Callable[..., Any], axe: str, path: str, scheme: str) -> list[dict[str, Any]]:
    page = visit(path, width=320, scheme=scheme).page
    page.evaluate("document.querySelectorAll('details').forEach(one => { one.open = true; })")
    page.evaluate(axe)
    asked = {"runOnly": ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa"]}
    found = page.evaluate("asked => axe.run(document, asked)", asked)
    return [one for one in found["violations"] if one["impact"] in ("serious", "critical")]
