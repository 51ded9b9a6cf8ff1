// Light, dark, or as the system has it: what the reader chose on this device, set before anything is drawn.
// Without this script every page follows the system.
(function () {
  var KEY = "theme";
  var root = document.documentElement;

  function kept() {
    try { return localStorage.getItem(KEY); } catch (denied) { return null; }
  }

  function keep(choice) {
    try { localStorage.setItem(KEY, choice); } catch (denied) { /* then it lasts as long as the page */ }
  }

  function show(choice) {
    if (choice === "light" || choice === "dark") root.dataset.theme = choice;
    else delete root.dataset.theme;
    mark();
  }

  function mark() {
    var buttons = document.querySelectorAll(".theme button");
    buttons.forEach(function (button) {
      button.setAttribute("aria-pressed", String(button.value === (root.dataset.theme || "auto")));
    });
    return buttons.length > 0;
  }

  root.classList.add("scripted");
  show(kept());
  document.addEventListener("click", function (event) {
    var button = event.target.closest(".theme button");
    if (!button) return;
    keep(button.value);
    show(button.value);
  });
  window.addEventListener("storage", function (event) {
    if (event.key === KEY) show(event.newValue);
  });
  // The buttons come later than this script: with the rest of the page, or with the frame of the staff pages.
  new MutationObserver(function (_changes, watch) {
    if (mark()) watch.disconnect();
  }).observe(root, { childList: true, subtree: true });
})();
