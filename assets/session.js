// What the staff pages do about a session that ends: they warn before, offer to stay, and lead to the sign-in
// when it has ended. The way out in the masthead carries the token of the session like every other form.
(function () {
  var WARNING = 300;
  var timer = null;

  function token() {
    var found = document.cookie.match(/(?:^|; )cityscore_csrf=([^;]*)/);
    return found ? found[1] : "";
  }

  function signIn() {
    location.assign("/sign-in?next=" + encodeURIComponent(location.pathname + location.search));
  }

  function show(isEnding) {
    var warning = document.getElementById("session-ending");
    if (warning) warning.hidden = !isEnding;
  }

  function ask(method) {
    var headers = { Accept: "application/json", "X-CSRFToken": token() };
    return fetch("/session", { method: method, headers: headers }).then(function (answer) {
      if (answer.status === 401) return signIn();
      if (!answer.ok) return wait(60);
      return answer.json().then(function (told) {
        var isEnding = told.seconds <= WARNING;
        show(isEnding);
        wait(isEnding ? Math.min(told.seconds + 1, 20) : told.seconds - WARNING);
      });
    }).catch(function () { wait(60); });
  }

  function wait(seconds) {
    clearTimeout(timer);
    timer = setTimeout(function () { ask("GET"); }, seconds * 1000);
  }

  document.addEventListener("click", function (event) {
    if (event.target.closest("#session-stay")) ask("POST");
  });

  document.addEventListener("submit", function (event) {
    var form = event.target;
    if (form.getAttribute("action") !== "/sign-out" || form.elements.csrf) return;
    var field = document.createElement("input");
    field.type = "hidden";
    field.name = "csrf";
    field.value = token();
    form.appendChild(field);
  }, true);

  // A call of the page that is refused because the session has ended.
  var plain = window.fetch;
  window.fetch = function (asked) {
    return plain.apply(this, arguments).then(function (answer) {
      var address = typeof asked === "string" ? asked : (asked && asked.url) || "";
      if (answer.status === 401 && address.indexOf("/staff/_dash-") >= 0) signIn();
      return answer;
    });
  };

  document.addEventListener("visibilitychange", function () {
    if (!document.hidden) ask("GET");
  });
  wait(5);
})();
