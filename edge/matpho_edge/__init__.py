"""The box beside the cameras: discover, read, gate, detect, track, judge, sign, keep, send."""
