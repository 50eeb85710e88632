"""Following: which detections are one object, and where it is in the frame being shown."""
