"""The limits, in one place. README lists them; tests/unit/test_docs.py holds README to this file.

Those of AWS are facts (docs.aws.amazon.com: quotas of Lambda, SQS and API Gateway HTTP APIs); the others are ours.
"""

from __future__ import annotations

KIB = 1024
MIB = 1024 * KIB

# AWS
LAMBDA_PAYLOAD_BYTES = 6 * MIB  # request and buffered response; binary is base64 there
SQS_MESSAGE_BYTES = 1 * MIB  # body and attributes together

# Taking spans in
BODY_BYTES = 4 * MIB  # as sent, compressed or not: base64 makes 5.4 MiB of it, which still fits the 6 MiB event
# After decompression, and of OTLP in one SQS message. The OTLP specification recommends 64 MiB; but what is 2 bytes on
# the wire (an empty attribute) is up to 45 times as much once it is read, and `receive` has 1 GiB by default.
DECODED_BODY_BYTES = 16 * MIB
# The same of Thrift and msgpack, where one byte (an empty struct or list in a span) is up to 70 once it is read.
DECODED_STRUCTS_BYTES = 4 * MIB
SPANS_MAX = 100_000  # in one request, its resources and scopes counted too: each is up to 700 bytes once it is read
JSON_OBJECTS_MAX = 1_000_000  # in one request: each is up to 270 bytes once it is read
JSON_VALUES_MAX = 2_000_000  # in one request: an empty list is 3 bytes there and 64 once it is read
SEGMENT_DOCUMENTS_MAX = 10_000  # in one call of X-Ray's PutTraceSegments, which may have to name each in its answer
SEGMENT_DOCUMENT_CHARACTERS = 1 * MIB  # X-Ray's own limit is 64 kB; each character is up to 80 bytes once it is read
MESSAGE_BODY_BYTES = 900 * KIB  # of base64 text in one SQS message; leaves room for attributes

# Keeping them
VALUE_MAX = 64 * KIB  # characters of an attribute's text, bytes of any other value; longer ones are cut and say so

# Answering
ANSWER_BYTES = 4 * MIB  # of body, as sent; as base64 it fits Lambda's payload. Larger answers go through S3
ANSWER_URL_SECONDS = 900  # how long the link to a large answer holds
SEARCH_LIMIT_MAX = 1500  # traces one search may ask for, as in Jaeger's UI
SEARCH_WINDOW_MAX_HOURS = 24 * 31
QUERY_BLOCKS_MAX = 5000  # blocks one request may open
QUERY_BYTES_MAX = 512 * MIB  # of blocks one request may read
QUERY_SECONDS_MAX = 25  # for reading and asking; API Gateway waits 30 s for the answer
ANSWER_SPANS_MAX = 100_000  # in one answer
METRIC_STEPS_MAX = 11_000  # of one metrics query, as in Prometheus
METRIC_POINTS_MAX = 500_000  # of one metrics query: series times steps
