"""The questions of AWS X-Ray's API."""
