// When a staff page is exchanged for another without loading, move the focus to its heading, so that
// people who do not see the page hear where they are.
(function () {
  var shown = null;
  new MutationObserver(function () {
    var heading = document.querySelector("main h1");
    if (!heading || heading === shown) return;
    var isFirst = shown === null;
    shown = heading;
    heading.setAttribute("tabindex", "-1");
    if (!isFirst) {
      window.scrollTo(0, 0);
      heading.focus({ preventScroll: true });
    }
  }).observe(document.documentElement, { childList: true, subtree: true });
})();
