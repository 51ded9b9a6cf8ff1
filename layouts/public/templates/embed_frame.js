// Inside the frame: tells the page around it how tall the content is, whenever that changes or it asks.
(function () {
  var said = 0;
  function tell(again) {
    var height = Math.ceil(document.documentElement.getBoundingClientRect().height);
    if (height === said && !again) return;
    said = height;
    parent.postMessage({ type: "city-embed-height", height: height }, "*");
  }
  if (parent === window) return;
  addEventListener("message", function (event) {
    if (event.source === parent && event.data && event.data.type === "city-embed-ask") tell(true);
  });
  new ResizeObserver(function () { tell(false); }).observe(document.documentElement);
  tell(true);
})();
