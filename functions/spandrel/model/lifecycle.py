"""What S3 and DynamoDB remove by themselves, and by which mark.

The template and the adapters take the names from here: a mark that they spelt differently would never expire.
"""

from __future__ import annotations

from typing import Literal

# The object tag that S3's lifecycle rules look for, because the tenant comes first in a key and a rule knows prefixes
# only. What carries none is kept: archived traces.
TAG = "spandrel"
Passing = Literal["answer", "incoming", "block"]
ANSWER: Passing = "answer"
INCOMING: Passing = "incoming"
BLOCK: Passing = "block"  # and what is about blocks

# The attribute of a catalogue item: unix seconds, after which DynamoDB removes the item.
EXPIRES = "expires"

QUEUE_DAYS = 4  # how long SQS keeps a message that nobody could store
DEAD_LETTER_DAYS = 14  # and one that was given up: the longest that SQS keeps any

ANSWER_DAYS = 1
INCOMING_DAYS = QUEUE_DAYS + DEAD_LETTER_DAYS + 1  # longer than any message that names the object
BLOCK_MARGIN_DAYS = 2  # a block outlives its catalogue entry, so that no answer misses an object
