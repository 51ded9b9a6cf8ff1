"""Pictures of published numbers: our own SVG and Plotly figures, drawn from the same views."""
