"""AWS X-Ray's segment documents and telemetry."""
