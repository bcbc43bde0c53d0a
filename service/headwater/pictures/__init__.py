"""Drawing a piece of the graph: scene, layout, SVG and PNG, all on the server."""
