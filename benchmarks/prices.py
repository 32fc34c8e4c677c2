"""What AWS and others bill, in US dollars: us-east-1, on demand, without free tiers, as of 2026-11."""

from __future__ import annotations

MILLION = 1_000_000

HTTP_API_REQUEST = 1.00 / MILLION  # for each 512 KB of it
SQS_UNIT = 0.40 / MILLION  # 64 KiB of a request
LAMBDA_REQUEST = 0.20 / MILLION
LAMBDA_GB_SECOND = 0.0000133334  # arm64
DYNAMODB_WRITE = 0.625 / MILLION  # 1 KB of an item
DYNAMODB_READ = 0.125 / MILLION  # 4 KB, strongly consistent
S3_PUT = 5.00 / MILLION
S3_GET = 0.40 / MILLION
S3_GB_MONTH = 0.023
LOG_GB = 0.50
ALARM_METRIC_MONTH = 0.10
DASHBOARD_MONTH = 3.00
SCHEDULER_CALL = 1.00 / MILLION

# What the same million spans cost there, in traces of SPANS_A_TRACE where traces are billed.
SPANS_A_TRACE = 8
XRAY_MILLION_SPANS = 5.00 / SPANS_A_TRACE  # 5 USD a million traces recorded
CLOUD_TRACE_MILLION_SPANS = 0.20

SQS_UNIT_BYTES = 64 * 1024
DYNAMODB_WRITE_BYTES = 1024
DYNAMODB_READ_BYTES = 4096
HTTP_API_UNIT_BYTES = 512 * 1024
MONTH_S = 30 * 24 * 3600
IDLE_POLLERS = 5  # Lambda asks an empty queue with so many long polls at a time
LONG_POLL_S = 20
