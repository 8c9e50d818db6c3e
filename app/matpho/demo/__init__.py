"""`matpho demo`: a whole city on one machine."""
