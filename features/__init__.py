"""What was known about a pupil, and when."""
