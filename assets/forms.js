// Sends the forms of our pages and shows the answer: what is wrong stands beside its field, which takes the
// focus; what was done is said at the top of the page that the answer names. Without it forms are sent by the
// browser itself and answered with a page.
(function () {
  var SAID = "said after a form";
  var ONCE = "shown once after a form";

  // A field called `id` would hide the form's own.
  function idOf(form) {
    return form.getAttribute("id");
  }

  function clear(form) {
    form.querySelectorAll(".wrong").forEach(function (one) {
      one.hidden = true;
      one.textContent = "";
    });
    form.querySelectorAll("[aria-invalid]").forEach(function (one) {
      one.removeAttribute("aria-invalid");
    });
  }

  function refuse(form, name, sentence) {
    var field = name ? document.getElementById(idOf(form) + "-" + name) : null;
    var place = document.getElementById(field ? field.id + "-wrong" : idOf(form) + "-wrong");
    var fallback = document.getElementById(idOf(form) + "-wrong");
    place = place || fallback;
    place.textContent = sentence || fallback.dataset.failed;
    place.hidden = false;
    if (!field) {
      place.setAttribute("tabindex", "-1");
      place.focus();
      return;
    }
    var control = field.matches("fieldset") ? field.querySelector("input") : field;
    control.setAttribute("aria-invalid", "true");
    control.focus();
  }

  function go(answer) {
    sessionStorage.setItem(SAID, answer.sentence);
    if (answer.once) sessionStorage.setItem(ONCE, answer.once);
    var next = new URL(answer.address, location.href);
    var isHere = next.pathname + next.search === location.pathname + location.search;
    location.assign(next);
    if (isHere) location.reload();
  }

  function send(form) {
    var button = form.querySelector("button[type=submit]");
    if (button.getAttribute("aria-disabled") === "true") return;
    button.setAttribute("aria-disabled", "true");
    clear(form);
    fetch(form.getAttribute("action"), { method: "POST", body: new FormData(form), headers: { Accept: "application/json" } })
      .then(function (response) {
        return response.json();
      })
      .then(function (answer) {
        if (answer.address) go(answer);
        else refuse(form, answer.field, answer.sentence);
      })
      .catch(function () {
        refuse(form, "", "");
      })
      .finally(function () {
        button.removeAttribute("aria-disabled");
      });
  }

  document.addEventListener("submit", function (event) {
    if (!event.target.matches("form.form")) return;
    event.preventDefault();
    send(event.target);
  });

  // A secret is shown to be copied and is kept nowhere: it stands selected in a field of its own.
  function show(place, sentence, once) {
    var field = document.createElement("input");
    field.readOnly = true;
    field.value = once;
    field.className = "once";
    field.setAttribute("aria-label", sentence);
    place.appendChild(field);
    field.focus();
    field.select();
  }

  // What was done before the page was loaded is said once there is a place for it.
  function say() {
    var place = document.getElementById("done");
    var sentence = sessionStorage.getItem(SAID);
    if (!place || !sentence) return Boolean(place);
    var once = sessionStorage.getItem(ONCE);
    sessionStorage.removeItem(SAID);
    sessionStorage.removeItem(ONCE);
    setTimeout(function () {
      place.textContent = sentence;
      if (once) show(place, sentence, once);
    }, 100);
    return true;
  }

  if (!say()) {
    var watch = new MutationObserver(function () {
      if (say()) watch.disconnect();
    });
    watch.observe(document.documentElement, { childList: true, subtree: true });
  }
})();
