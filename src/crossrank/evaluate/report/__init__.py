"""What a comparison, an experiment or a curve looks like: tables, plots and one HTML page."""
