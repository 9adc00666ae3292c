"""The rights of a pupil: access, correction, objection, erasure; each on request and logged."""
