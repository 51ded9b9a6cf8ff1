// What the staff pages do in the browser by themselves. When a page is exchanged for another without loading,
// the focus moves to its heading and its title is announced, so that people who do not see the page hear where
// they are. A search field marked `filters` hides the rows of tables whose names do not hold what is typed.
(function () {
  var place = null;
  var heading = null;

  function address() {
    return location.pathname + location.search;
  }

  // The part of the page that the address names, else the heading of the page.
  function goal(found) {
    var named = location.hash.length > 1 ? document.getElementById(location.hash.slice(1)) : null;
    return named && named.id !== "content" ? named : found;
  }

  function arrive(found, isFirst) {
    var target = goal(found);
    if (isFirst && target === found) return;
    target.setAttribute("tabindex", "-1");
    if (target === found) window.scrollTo(0, 0);
    else target.scrollIntoView();
    target.focus({ preventScroll: true });
    if (!isFirst) setTimeout(announce, 200);
  }

  // Dash sets the title after the page is there.
  function announce() {
    var region = document.getElementById("announced");
    if (region) region.textContent = document.title;
  }

  function isOfThePage(change) {
    var main = document.querySelector("main");
    return main && main.contains(change.target);
  }

  new MutationObserver(function (changes) {
    var found = document.querySelector("main h1");
    if (!found || (found === heading && address() === place) || !changes.some(isOfThePage)) return;
    var isFirst = heading === null;
    heading = found;
    place = address();
    filter(document.querySelector("input.filters"));
    arrive(found, isFirst);
  }).observe(document.documentElement, { childList: true, subtree: true });

  // Dash goes to the top at once when a link is followed; one that names a part of this page stays there.
  document.addEventListener("click", function (event) {
    var link = event.target.closest("main a[href*='#']");
    var part = link && link.pathname === location.pathname && document.getElementById(link.hash.slice(1));
    if (part) part.scrollIntoView();
  });

  // --- the filter of a table ---------------------------------------------------------------------

  function filter(field) {
    if (!field) return;
    var wanted = field.value.trim().toLocaleLowerCase();
    var shown = 0;
    // A phone leaves rows out until it is asked for all of them; what is looked for is never left out.
    document.querySelectorAll(".board").forEach(function (board) {
      board.classList.toggle("matched", wanted !== "");
    });
    document.querySelectorAll(".board tbody").forEach(function (group) {
      var seen = 0;
      group.querySelectorAll("tr:not(.group)").forEach(function (row) {
        var holds = row.querySelector("th a").textContent.toLocaleLowerCase().indexOf(wanted) >= 0;
        row.hidden = !holds;
        seen += holds ? 1 : 0;
      });
      group.hidden = seen === 0;
      shown += seen;
    });
    var said = document.getElementById("filtered");
    if (said) said.textContent = wanted ? said.dataset.said.replace("{count}", String(shown)) : "";
  }

  function keepInAddress(word, value) {
    var next = new URL(location.href);
    if (value) next.searchParams.set(word, value);
    else next.searchParams.delete(word);
    history.replaceState(history.state, "", next);
    place = address();
  }

  document.addEventListener("input", function (event) {
    if (!event.target.matches("input.filters")) return;
    filter(event.target);
    keepInAddress(event.target.name, event.target.value.trim());
  });
})();
