"""RTSP 1.0 with RTP over TCP and UDP, as a camera serves it."""
