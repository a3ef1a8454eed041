"""Files in and out: documents, queries, runs and judgements, gz too, written atomically."""
