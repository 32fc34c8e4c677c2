"""The only place that imports boto3: queue, object store, catalogue, keys."""
