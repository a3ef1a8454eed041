"""What people do with a re-ranker: calibrate it, answer, find duplicates, read long texts."""
