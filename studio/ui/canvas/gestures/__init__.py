"""What a person does with the pointer on the canvas, one class each. Only a gesture's end changes the graph.

DrawLink is imported from its own module: the window can be shown without it.
"""

from studio.ui.canvas.gestures.base import Gesture
from studio.ui.canvas.gestures.drop_block import BLOCK_MIME, DropBlock, dragged_kind
from studio.ui.canvas.gestures.move_nodes import MoveNodes
from studio.ui.canvas.gestures.pan_view import PanView
from studio.ui.canvas.gestures.select_region import SelectRegion

__all__ = ["BLOCK_MIME", "DropBlock", "Gesture", "MoveNodes", "PanView", "SelectRegion", "dragged_kind"]
