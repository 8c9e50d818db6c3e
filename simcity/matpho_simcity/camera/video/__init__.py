"""The camera's picture path: lens and knobs, H.264 encoder, RTP payloads, motion, one worker thread per camera."""
