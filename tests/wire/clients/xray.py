"""A program that the X-Ray SDK traces, as its documentation shows it: nothing here knows where its segments go.

It prints the header by which it would hand on its trace.
"""

from __future__ import annotations

from aws_xray_sdk.core import xray_recorder
from aws_xray_sdk.core.models.trace_header import TraceHeader

xray_recorder.configure(service="checkout", sampling=False)
with xray_recorder.in_segment("checkout") as segment:
    segment.put_annotation("order", 42)
    segment.put_http_meta("url", "https://shop.example/checkout/42")
    for step in range(40):  # beyond 30, the SDK sends what is done by itself
        with xray_recorder.in_subsegment(f"step-{step}", namespace="remote" if step == 0 else "local") as subsegment:
            subsegment.put_metadata("step", {"n": step})
    try:
        with xray_recorder.in_subsegment("charge"):
            raise ValueError("declined")
    except ValueError:
        segment.add_fault_flag()
print("X-Amzn-Trace-Id:", TraceHeader(segment.trace_id, segment.id, sampled=True).to_header_str())
