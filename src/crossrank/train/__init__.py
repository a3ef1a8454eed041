"""Training, mining and distillation: data, objectives, recipes (extra `train`)."""
