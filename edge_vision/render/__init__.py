"""Drawing: frames are copied to a canvas, boxes, labels and figures are drawn on the copy."""
