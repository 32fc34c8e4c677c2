"""What only a whole trace tells of a span: the columns that `traces` adds where a query asks for them."""

from __future__ import annotations

from spandrel.traceql.intrinsics import Intrinsic

COLUMNS = {
    Intrinsic.TRACE_DURATION: "fact_trace_duration",
    Intrinsic.ROOT_NAME: "fact_root_name",
    Intrinsic.ROOT_SERVICE: "fact_root_service",
    Intrinsic.CHILD_COUNT: "fact_child_count",
    Intrinsic.NESTED_SET_LEFT: "fact_nested_set_left",
    Intrinsic.NESTED_SET_RIGHT: "fact_nested_set_right",
    Intrinsic.NESTED_SET_PARENT: "fact_nested_set_parent",
}
