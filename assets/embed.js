// For pages of others: gives every embed of ours the height of its content, taller and shorter.
// <script src="https://CITY/assets/embed.js" async></script>, once on a page, wherever the embeds stand.
(function () {
  var home = new URL(document.currentScript.src).origin;
  var most = 20000;

  function isOurs(frame) {
    try {
      var address = new URL(frame.src);
      return address.origin === home && address.pathname.indexOf("/embed/") === 0;
    } catch (error) {
      return false;
    }
  }

  function embeds() {
    return Array.prototype.filter.call(document.querySelectorAll("iframe"), isOurs);
  }

  function fit(frame, height) {
    var rim = getComputedStyle(frame).boxSizing === "border-box" ? frame.offsetHeight - frame.clientHeight : 0;
    frame.style.height = height + rim + "px";
  }

  // Only our own server may say a height, and only the window inside a frame speaks for that frame.
  addEventListener("message", function (event) {
    var said = event.data;
    if (event.origin !== home || !said || said.type !== "city-embed-height") return;
    var height = said.height;
    if (typeof height !== "number" || !(height > 0 && height < most)) return;
    embeds().forEach(function (frame) {
      if (frame.contentWindow === event.source) fit(frame, Math.ceil(height));
    });
  });

  // A frame that was ready before this script has spoken already, and one out of sight does not notice that
  // the page has another width: ask them to say their heights again.
  function ask() {
    embeds().forEach(function (frame) {
      frame.contentWindow.postMessage({ type: "city-embed-ask" }, "*");
    });
  }

  var waiting;
  addEventListener("resize", function () {
    clearTimeout(waiting);
    waiting = setTimeout(ask, 100);
  });

  ask();
  if (document.readyState === "loading") addEventListener("DOMContentLoaded", ask);
})();
