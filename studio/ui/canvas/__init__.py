"""The canvas: shows the graph and turns gestures into edits."""
