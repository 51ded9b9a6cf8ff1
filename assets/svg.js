// The browser side of layouts.charts.embedded.Svg: puts a drawing made by the server into the page.
window.city_drawings = {
  Svg: function (props) {
    return React.createElement("span", { className: "drawing", dangerouslySetInnerHTML: { __html: props.drawing } });
  },
};
